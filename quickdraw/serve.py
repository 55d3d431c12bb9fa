"""Serves trained models: a page to draw on, and an API.

    python -m quickdraw.serve --train_dir=runs/cnn
    python -m quickdraw.serve --train_dir=runs/cnn,runs/resnet --host=0.0.0.0 --port=8000

Open http://127.0.0.1:8000 and draw: all models guess while you do. /docs explains the API, /metrics
counts for Prometheus, /healthz answers a load balancer. At the first start each run is exported to
ONNX by a process of its own (15 seconds), from then on the server is ready in two: it runs on
onnxruntime, without TensorFlow, in about 100 MB. When a training that goes on has a better model,
that is exported and takes the place of the old one.

The server answers on this machine only, unless --host says otherwise; then everybody who can reach
it may ask. It keeps nothing of what is drawn. It needs the extras [serve] and [export]:
pip install -e '.[serve]'.
"""

from __future__ import annotations

import dataclasses
import sys

from quickdraw import cli, environment, storage
from quickdraw.console import log
from quickdraw.errors import QuickdrawError
from quickdraw.fields import field

_MOST_BYTES = 256 * 1024
_BACKLOG = 2048


@dataclasses.dataclass(kw_only=True)
class Flags(cli.Config):
    """What can be said on the command line."""

    train_dir: str = field(
        environment.TRAIN_DIR,
        "The folder of the run, local or gs://; several, separated by commas, all guess.",
        path=True,
    )
    host: str = field("127.0.0.1", "Where to listen; 0.0.0.0 for all who can reach this machine.")
    port: int = field(8000, "The port; 0 for a free one.", 0, 65535)
    hosts: tuple[str, ...] | None = field(
        None, "Names by which browsers may call the server, beside its own and addresses."
    )
    follow_seconds: float = field(10.0, "How often to look for better models of the runs.", 0.1)


def command(flags: Flags) -> None:
    """Load the models and serve until interrupted."""
    try:
        import uvicorn

        from quickdraw.serving import app
    except ImportError as error:
        raise QuickdrawError(
            f"{error.name} is not installed, which this needs: pip install 'quickdraw[serve]', or "
            "pip install -e '.[serve]' in a clone"
        ) from None
    from quickdraw.serving.guards import Hosts
    from quickdraw.serving.served import ServedModels

    models = ServedModels(storage.folders_in(environment.train_dir(flags.train_dir)))
    made = app.make(models, Hosts(flags.hosts or ()), flags.follow_seconds)
    config = uvicorn.Config(
        made,
        host=flags.host,
        port=flags.port,
        log_level="warning",
        ws_max_size=_MOST_BYTES,
        backlog=_BACKLOG,
        server_header=False,
        timeout_graceful_shutdown=3,
    )
    socket = _listening(config, flags)
    log(f"open http://{flags.host}:{socket.getsockname()[1]} and draw; Ctrl+C ends the server")
    uvicorn.Server(config).run(sockets=[socket])


def _listening(config, flags: Flags):
    """Return a socket that listens, so that a port that is taken is said in a line."""
    import socket

    listening = socket.socket(socket.AF_INET6 if ":" in flags.host else socket.AF_INET)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((flags.host, flags.port))
        listening.listen(_BACKLOG)
    except OSError as error:
        listening.close()
        raise QuickdrawError(
            f"cannot listen on {flags.host}:{flags.port}: {error.strerror}. --port names another"
        ) from None
    listening.set_inheritable(False)
    return listening


def main(argv: list[str] | None = None) -> int:
    """Run the console command `quickdraw-serve`; return its exit code."""
    return cli.run(Flags, command, argv)


if __name__ == "__main__":
    sys.exit(main())
