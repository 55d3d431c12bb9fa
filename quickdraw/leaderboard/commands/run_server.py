"""Runs the server of a competition: the pages, the API, and the scoring.

    python -m quickdraw.leaderboard serve
    python -m quickdraw.leaderboard serve --database=postgresql+psycopg://user@host/name --public_url=https://example.org

The first line serves the file competition.db on port 8080 to everybody in the same network. Behind
https (Cloud Run, nginx), say the address that people see as --public_url: cookies are then kept to
https. Behind a proxy that adds to X-Forwarded-For, say --proxies=1, or 2 behind two; else all teams
have one address, and share its limits.

Ctrl-C or SIGTERM ends it after the entry being scored. Entries that were accepted but not scored,
even if the machine lost power, are scored at the next start. docs/en/leaderboard.md has load tests.
"""

from __future__ import annotations

import dataclasses
import gc
import os
import sys
from typing import TYPE_CHECKING

from quickdraw import cli
from quickdraw.console import log
from quickdraw.fields import field
from quickdraw.leaderboard.commands.common_flags import DatabaseFlags, check_final_can_be_held

if TYPE_CHECKING:
    from quickdraw.leaderboard.store.database import Database

_MOST_CONNECTIONS = 2000
_LARGEST_HEAD = 16 << 10
_SWITCH_SECONDS = 0.0005
"""How long a thread that unpacks an upload may keep requests waiting; Python's default is 5 ms."""


@dataclasses.dataclass(kw_only=True)
class Flags(DatabaseFlags):
    """The flags of this command."""

    host: str = field("0.0.0.0", "The address to listen at; 127.0.0.1 is this machine only.")
    port: int | None = field(None, "The port; without it $PORT, or else 8080.", 0, 65535)
    public_url: str = field("", "Where people reach the server, such as https://example.org.")
    proxies: int = field(
        0, "How many proxies of yours stand before it, whose X-Forwarded-For is believed.", 0, 9
    )
    size_limit: int = field(64, "Megabytes of an upload, and of what it unpacks to.", 1, 4096)
    address_limit: int = field(600, "Uploads a minute from one address; a school may have one.", 1)


def command(flags: Flags) -> None:
    """Serve until Ctrl-C or SIGTERM."""
    from quickdraw.leaderboard.store.database import Database

    with Database(flags.database) as database:
        _serve(database, flags)


def _serve(database: Database, flags: Flags) -> None:
    import uvicorn

    from quickdraw.leaderboard.site.board_app import make_app
    from quickdraw.leaderboard.site.context import Context, Limits
    from quickdraw.lingering import PatientProtocol

    size = flags.size_limit << 20
    limits = Limits(size, flags.address_limit, flags.proxies, score_beside=True)
    context = Context(database, limits=limits, public_url=flags.public_url)
    contest = context.competition()
    if contest.live:
        check_final_can_be_held()
    port = int(os.environ.get("PORT") or 8080) if flags.port is None else flags.port
    config = uvicorn.Config(
        make_app(context),
        host=flags.host,
        port=port,
        http=PatientProtocol,
        access_log=False,  # one-time codes in links must not reach a log
        server_header=False,
        limit_concurrency=_MOST_CONNECTIONS,
        h11_max_incomplete_event_size=_LARGEST_HEAD,
        proxy_headers=False,  # uvicorn trusts the first address, which any client can forge
        log_level="warning",
        timeout_graceful_shutdown=30,
    )
    log(f"{contest.name}: {flags.public_url or f'http://localhost:{port}'} (Ctrl-C ends it)")
    sys.setswitchinterval(_SWITCH_SECONDS)
    gc.freeze()  # skipped by the collector from now on: each full pass took 100 ms
    uvicorn.Server(config).run()


def main(argv: list[str] | None = None) -> int:
    """Run the command; return its exit code."""
    return cli.run(Flags, command, sys.argv if argv is None else argv)
