"""A contest in a folder: opened or resumed, served, and scored from its log."""

from __future__ import annotations

import os
import secrets
from collections.abc import Sized
from typing import TYPE_CHECKING

from quickdraw import storage
from quickdraw.console import log
from quickdraw.draw_off import desk, entering, event_log, results_files
from quickdraw.draw_off.contest import FORMAT, Contest
from quickdraw.draw_off.event_log import EventLog
from quickdraw.draw_off.rules import Event, Rules
from quickdraw.errors import QuickdrawError
from quickdraw.extras import needs
from quickdraw.serving.listening import url

if TYPE_CHECKING:
    from quickdraw.draw_off import Flags

EVENTS = "events.jsonl"
_LARGEST_MESSAGE = 256 * 1024
_CODE_BYTES = 8


def opening(events: list[Event], seconds: int, new_link: bool) -> tuple[list[Event], str]:
    """Return the event that creates a contest or replaces its link, and the organiser's token.

    Returns:
        No event, and no token, where the contest goes on with the link that it has.
    """
    token = secrets.token_urlsafe(24)
    if not events:
        made: Event = {
            "kind": "opened",
            "format": FORMAT,
            "rules": vars(Rules(seconds=seconds)),
            "organiser": desk.hashed(token),
            "code": secrets.token_urlsafe(_CODE_BYTES),
        }
    elif new_link:
        made = {"kind": "linked", "organiser": desk.hashed(token)}
    else:
        return [], ""
    return [made], token


def entered_models(
    events: list[Event], train_dirs: list[str], models: str | None, folder: str
) -> list[Event]:
    """Return the events with which the models of the command line enter; none once it has begun.

    Raises:
        QuickdrawError: not a run, a run that cannot be exported, or no such folder.
    """
    contest = results_files.contest_of(events)
    if contest.phase != "lobby":
        if train_dirs or models:
            log("the contest has begun: no more models enter")
        return []
    return entering.enter_all(contest, entering.files_of(train_dirs, models), folder)


def open_contest(flags: Flags) -> tuple[EventLog, str]:
    """Open the contest of a folder, or create one; return its log, and the organiser's token.

    Raises:
        QuickdrawError: its log is damaged, another server has it, or a model cannot enter; then
            nothing is written, so that the link, which is shown once, is not lost.
    """
    folder = flags.output_dir
    os.makedirs(folder, exist_ok=True)
    kept = EventLog(os.path.join(folder, EVENTS))
    try:
        train_dirs = storage.folders_in(flags.train_dir) if flags.train_dir else []
        made, token = opening(kept.events, flags.seconds, flags.new_link)
        made += entered_models([*kept.events, *made], train_dirs, flags.models, folder)
        kept.append(*made)
        kept.sync()
    except BaseException:
        kept.close()
        raise
    kept.events.extend(made)
    return kept, token


def serve(flags: Flags) -> None:
    """Serve a contest until interrupted; `flags` are those of the command."""
    with needs("serve"):
        import onnxruntime  # noqa: F401  # in the processes of models
        import segno  # noqa: F401
        import uvicorn

        from quickdraw.draw_off.contest_app import ContestServer, make_contest_app
        from quickdraw.draw_off.director import Director
        from quickdraw.lingering import PatientProtocol
    from quickdraw.sandbox.cage import CageLimits
    from quickdraw.serving.guards import Hosts
    from quickdraw.serving.listening import BACKLOG, listening

    folder = flags.output_dir
    if flags.runs and not storage.is_folder(flags.runs):
        raise QuickdrawError(f"--runs: {flags.runs} is no folder")
    with listening(flags.host, flags.port) as socket:
        events, token = open_contest(flags)
        port = socket.getsockname()[1]
        director = Director(events, folder, CageLimits(memory=flags.memory << 20))
        hosts = Hosts([*(flags.hosts or ()), *_host_of(flags.public_url)])
        server = ContestServer(
            director, folder, hosts, flags.public_url, (flags.host, port), flags.runs
        )
        _say_where(flags, director.contest, port, token)
        config = uvicorn.Config(
            make_contest_app(server),
            http=PatientProtocol,
            log_level="warning",
            ws_max_size=_LARGEST_MESSAGE,
            backlog=BACKLOG,
            server_header=False,
            timeout_graceful_shutdown=2,
        )
        uvicorn.Server(config).run(sockets=[socket])


def _host_of(url: str) -> list[str]:
    from urllib.parse import urlsplit

    name = urlsplit(url).hostname if url else None
    return [name] if name else []


def _say_where(flags: Flags, contest: Contest, port: int, token: str) -> None:
    base = flags.public_url.rstrip("/") or url(flags.host, port)
    log(f"{len(contest.models)} model{_s(contest.models)}; the big screen: {base}/#{contest.code}")
    if token:
        print(f"the organiser's page, a secret link: {base}/organiser#{token}", flush=True)
    else:
        rounds = f"{len(contest.past)} round{_s(contest.past)}"
        log(f"going on ({contest.phase}, {rounds}): the organiser's link is")
        log("that of the first start; --new_link=true makes another")
    log("Ctrl+C ends the server; the same command goes on")


def _s(things: Sized) -> str:
    return "" if len(things) == 1 else "s"


def print_score(folder: str) -> None:
    """Print a contest's score, recomputed from its events; write standings.csv and rounds.csv.

    Raises:
        QuickdrawError: no contest, or its log is damaged.
    """
    path = os.path.join(folder, EVENTS)
    if not storage.exists(path):
        raise QuickdrawError(f"{folder} holds no contest: no {EVENTS} there")
    with storage.open_binary(path) as file:
        data = file.read()
    events = event_log.read(data[: data.rfind(b"\n") + 1], path)
    contest = results_files.contest_of(events)
    if not results_files.agrees(contest, events):
        raise QuickdrawError(f"{path}: the score and the contest disagree: please report this")
    for name, head, rows in (
        ("standings", results_files.PLACES, results_files.places(contest)),
        ("rounds", results_files.ROUNDS, results_files.by_round(contest)),
    ):
        with storage.write_whole(os.path.join(folder, f"{name}.csv")) as text:
            text.write(results_files.as_csv(head, rows))
    print(f"{'rank':>4}  {'points':>7}  {'hits':>4}  model")
    for row in results_files.places(contest):
        print(f"{row[0]:>4}  {row[2]:>7.1f}  {row[3]:>4}  {row[1]}")
