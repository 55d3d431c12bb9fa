"""Serves trained models: a page to draw on, and an API.

    python -m quickdraw.serve
    python -m quickdraw.serve --train_dir=runs/cnn
    python -m quickdraw.serve --train_dir=runs/cnn,runs/resnet --host=0.0.0.0 --port=8000
    python -m quickdraw.serve --train_dir=runs/cnn --collect=sessions
    python -m quickdraw.serve score sessions

Open http://127.0.0.1:8000 and draw: all models guess while you do. Or play: six words, 20 seconds
each; ten digits, where a model knows them. Without --train_dir the model that train or the quick
start left in runs/ is served, or else one of the sample doodles, trained first, once, in a minute.

/docs explains the API, /metrics counts for Prometheus, /healthz answers a load balancer. At the
first start each run is exported to ONNX by a process of its own (15 seconds), from then on the
server is ready in two: it runs on onnxruntime, without TensorFlow, in about 100 MB. When a training
that goes on has a better model, that is exported and takes the place of the old one. A model that
does not convert is served by Keras, in a process of its own, and slower.

The server answers on this machine only, unless --host says otherwise; then everybody who can reach
it may ask. It keeps nothing of what is drawn, unless --collect names a folder: then the page asks,
and of those who agree guesses/SESSION.csv gets a row for each guess, and drawings/SESSION.ndjson
their drawings with a word, which quickdraw.datasets.prepare reads. `serve score` makes a table of
the models of them. It needs the extras [serve] and [export]:
pip install -e '.[serve]'.
"""

from __future__ import annotations

import dataclasses
import sys

from quickdraw import cli, storage
from quickdraw.console import log
from quickdraw.errors import QuickdrawError
from quickdraw.extras import needs
from quickdraw.fields import field
from quickdraw.serving import first_run, score_sessions
from quickdraw.serving.collecting import Collector

_MOST_BYTES = 256 * 1024


@dataclasses.dataclass(kw_only=True)
class Flags(cli.Config):
    """The flags of this command."""

    train_dir: str | None = field(
        None,
        "The folder of the run, local or gs://; several, separated by commas, all guess. Without "
        "it, the run that train left, or the sample's.",
        path=True,
    )
    host: str = field("127.0.0.1", "Where to listen; 0.0.0.0 for all who can reach this machine.")
    port: int = field(8000, "The port; 0 for a free one.", 0, 65535)
    hosts: tuple[str, ...] | None = field(
        None, "Names by which browsers may call the server, beside its own and addresses."
    )
    follow_seconds: float = field(10.0, "How often to look for better models of the runs.", 0.1)
    collect: str | None = field(
        None, "Keep guesses and drawings of those who agree, in this local folder.", path=True
    )


def command(flags: Flags) -> None:
    """Load the models and serve until interrupted."""
    with needs("serve"):
        import uvicorn

        from quickdraw.lingering import PatientProtocol
        from quickdraw.serving import app
    from quickdraw.serving.guards import Hosts
    from quickdraw.serving.listening import BACKLOG, listening, url, url_for_others
    from quickdraw.serving.served import ServedModels

    collector = _collector(flags.collect)
    with listening(flags.host, flags.port) as socket:
        models = ServedModels(first_run.train_dirs(flags.train_dir))
        made = app.make(models, Hosts(flags.hosts or ()), flags.follow_seconds, collector=collector)
        config = uvicorn.Config(
            made,
            host=flags.host,
            port=flags.port,
            http=PatientProtocol,
            log_level="warning",
            ws_max_size=_MOST_BYTES,
            ws_per_message_deflate=False,  # costs each of them more time and memory than it saves
            backlog=BACKLOG,
            server_header=False,
            timeout_graceful_shutdown=3,
        )
        port = socket.getsockname()[1]
        log(f"open {url(flags.host, port)} and draw; Ctrl+C ends the server")
        if others := url_for_others(flags.host, port):
            log(f"on other machines of this network: {others}")
        uvicorn.Server(config).run(sockets=[socket])


def _collector(folder: str | None) -> Collector | None:
    if folder is None:
        return None
    if storage.is_remote(folder):
        raise QuickdrawError(f"--collect: a local folder expected. Received: {folder}")
    log(f"drawings of those who agree are kept in {folder}")
    return Collector(folder)


def main(argv: list[str] | None = None) -> int:
    """Run the console command `quickdraw-serve`; return its exit code."""
    argv = sys.argv if argv is None else argv
    if argv[1:2] == ["score"]:
        return score_sessions.main(["python -m quickdraw.serve score", *argv[2:]])
    return cli.run(Flags, command, argv)


if __name__ == "__main__":
    sys.exit(main())
