"""Tries what a leaderboard bears, from another process on this machine.

    python scripts/leaderboard_trial.py load [--database=postgresql+psycopg://…] [--teams=200] …
    python scripts/leaderboard_trial.py kills [--rounds=30] …
    python scripts/leaderboard_trial.py large [--lines=10000000] …

`load`: 200 teams submit 2,000 files of 3,400 lines in a minute while 100 readers look at the board,
each a second after the last answer. `kills`: the server is killed by kill -9 under load, and
started again. `large`: two files of ten million lines, and whose memory they take. Then every entry
is read from the database: what was acknowledged is there, scored as scikit-learn counts, no team
has more than its limit, and every file is whole.

Without --database it is an SQLite file in a temporary folder; another one must be empty. Needs
pip install -e '.[leaderboard]' scikit-learn. Exit code 1: something was wrong.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile

from trials import kills, large, load


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=["load", "kills", "large"])
    parser.add_argument("--database", default="")
    parser.add_argument("--log", default="", help="where the server's lines go")
    parser.add_argument("--lines", type=int, default=0, help="of a file: 3400; for large 10000000")
    parser.add_argument("--teams", type=int, default=0, help="200; for kills 40")
    parser.add_argument("--files", type=int, default=10, help="of a team, for load")
    parser.add_argument("--readers", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=60, help="that load takes")
    parser.add_argument("--rounds", type=int, default=30, help="kills")
    parser.add_argument("--alive", type=float, default=3, help="seconds between them, at most")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Run a trial, print a table in Markdown, and return the exit code."""
    flags = parse(argv)
    with tempfile.TemporaryDirectory() as folder:
        url = flags.database or os.path.join(folder, "trial.db")
        log = flags.log or os.path.join(folder, "server.log")
        lines = flags.lines or (10_000_000 if flags.what == "large" else 3400)
        common = {"url": url, "log": log, "lines": lines, "people": flags.readers}
        if flags.what == "load":
            times = {"files": flags.files, "seconds": flags.seconds}
            told = load.run(**common, teams=flags.teams or 200, **times)
        elif flags.what == "large":
            told = large.run(**common)
        else:
            times = {"rounds": flags.rounds, "alive": flags.alive}
            told = kills.run(**common, teams=flags.teams or 40, **times)
    wrong = told.pop("wrong")
    for name, value in told.items():
        print(f"| {name} | {value:,.0f} |" if value >= 10 else f"| {name} | {value:.1f} |")
    print(f"| wrong | {len(wrong)} |")
    for line in wrong[:20]:
        print(line, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
