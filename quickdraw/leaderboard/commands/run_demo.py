"""Shows a competition with ten teams, whose entries come from real training runs on the sample.

    python -m quickdraw.leaderboard demo

Makes sample doodles (synthetic, see quickdraw.datasets.sample), trains ten small models with train
and predicts with inference, as teams would, makes a competition of them in a folder, and serves it
on this machine. The first time takes about four minutes on two cores; later it starts at once. This
command alone needs TensorFlow; after an interruption it continues where it stopped.
"""

from __future__ import annotations

import dataclasses
import importlib.util
import os
import subprocess
import sys
from typing import TYPE_CHECKING

from quickdraw import cli, storage
from quickdraw.console import log
from quickdraw.errors import QuickdrawError
from quickdraw.fields import field
from quickdraw.leaderboard.commands import common_flags, run_server

if TYPE_CHECKING:
    from quickdraw.leaderboard.store.competition import Terms

_PER_CATEGORY = 300
_TEAMS = {
    "Baseline LogisticModel": ("LogisticModel", 100, "--base_learning_rate=0.01"),
    "Baseline CnnModel": ("CnnModel", 120, "--batch_size=64"),
    "Rabbits 토끼": ("CnnModel", 60, "--batch_size=64"),
    "호랑이": ("CnnModel", 90, "--base_learning_rate=0.002"),
    "Night Owls": ("CnnModel", 30, "--seed=3"),
    "거북이": ("LogisticModel", 200, "--base_learning_rate=0.02"),
    "Pixel Pushers": ("MlpModel", 100, "--seed=1"),
    "지우개": ("MlpModel", 250, "--base_learning_rate=0.002"),
    "Team Scribble": ("MlpModel", 30, "--seed=5"),
    "연필깎이": ("LogisticModel", 20, "--seed=6"),
}
_TERMS: Terms = {
    "metric": "top1",
    "public_percent": 30,
    "daily_limit": 10,
    "total_limit": 100,
    "final_choices": 2,
    "ladder": False,
    "time_zone": "Asia/Seoul",
    "starts": None,
    "ends": None,
    "data_url": "",
    "description": "Synthetic doodles.",
}


@dataclasses.dataclass(kw_only=True)
class Flags(cli.Config):
    """The flags of this command."""

    folder: str = field("leaderboard_demo", "Where everything goes.", path=True)
    port: int = field(8080, "The port.", 0, 65535)
    serve: bool = field(True, "Serve it; with --noserve only make it.")


def command(flags: Flags) -> None:
    """Create what is missing, and serve it."""
    from quickdraw.datasets.sample import make_sample
    from quickdraw.leaderboard.store import access, moments
    from quickdraw.leaderboard.store.database import Database

    data = os.path.join(flags.folder, "data")
    if importlib.util.find_spec("tensorflow") is None:
        raise QuickdrawError(
            "the teams of the demo train with TensorFlow: pip install 'quickdraw[leaderboard]'"
        )
    make_sample(data, per_category=_PER_CATEGORY)
    files = {name: _predict(flags.folder, data, name) for name in _TEAMS}
    path = os.path.join(flags.folder, "competition.db")
    if not os.path.exists(path):
        _fill(path, data, files)
    with Database(path) as database, database.writing() as connection:
        code = access.invite(connection, None, moments.now())
    url = f"http://localhost:{flags.port}"
    print(f"the board: {url}/board")
    print(f"the organiser's page, a link that works once: {common_flags.link(url, code)}")
    if flags.serve:
        run_server.command(run_server.Flags(database=path, host="127.0.0.1", port=flags.port))


def _predict(folder: str, data: str, team: str) -> str:
    """Train and predict as a team would; return the path of the predictions."""
    model, steps, more = _TEAMS[team]
    run = os.path.join(folder, "runs", f"{list(_TEAMS).index(team)}_{model}")
    output = os.path.join(run, "predictions.csv")
    if not os.path.exists(output):
        log(f"{team}: training {model} for {steps} steps")
        records = [f"--train_data_pattern={data}/train-*", f"--eval_data_pattern={data}/valid-*"]
        _run(
            "train",
            f"--model={model}",
            f"--max_steps={steps}",
            more,
            *records,
            f"--train_dir={run}",
        )
        _run("inference", f"--train_dir={run}", f"--input_data_pattern={data}/test-*")
    return output


def _run(name: str, *flags: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", f"quickdraw.{name}", *flags], capture_output=True, text=True
    )
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        said = [line for line in lines if not line.startswith("See python")] or ["no word"]
        raise QuickdrawError(f"quickdraw.{name} failed: {said[-1]}")


def _fill(path: str, data: str, files: dict[str, str]) -> None:
    """Create the competition with all entries; its file appears once it is complete."""
    from quickdraw.evaluation.scoring import names_beside
    from quickdraw.leaderboard.store import competition, moments, steering, team_table
    from quickdraw.leaderboard.store import entry_table as entries
    from quickdraw.leaderboard.store.blobs import Packed
    from quickdraw.leaderboard.store.database import Database
    from quickdraw.leaderboard.store.scorer import Scorer

    solution = os.path.join(data, "solution.csv")
    storage.delete(f"{path}.tmp")
    with Database(f"{path}.tmp", create=True) as database:
        with storage.open_binary(solution) as file:
            competition.create(database, file, "Demo", names_beside(solution), _TERMS)
        moment = moments.now()
        for hours, (name, predictions) in enumerate(files.items()):
            baseline = name.startswith("Baseline")
            steering.add_teams(database, [name], moment, common_flags.OPERATOR, baseline)
            with database.reading() as connection:
                team = team_table.named(connection, name).id
            sent = moment - (30 - 3 * hours) * 3600 * moments.SECOND
            with storage.open_binary(predictions) as file, Packed(file) as packed:
                entries.accept(database, team, packed, name, _TEAMS[name][0], sent)
        scorer = Scorer(database)
        while scorer.score_next():
            pass
    storage.rename(f"{path}.tmp", path)


def main(argv: list[str] | None = None) -> int:
    """Run the command; return its exit code."""
    return cli.run(Flags, command, sys.argv if argv is None else argv)
