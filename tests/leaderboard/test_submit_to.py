"""A job's own predictions: a model from gs://, its predictions to gs:// and to the leaderboard."""

import io
from pathlib import Path

import boarding
import pytest

from quickdraw import inference
from quickdraw.leaderboard import team_client as client
from quickdraw.leaderboard.store import competition


@pytest.fixture
def camp(sqlite, tiny_data):
    """A running server of the drawings that `tiny_run` can predict, and a team's token."""
    settings = {key: value for key, value in boarding.SETTINGS.items() if key != "labels"}
    solution = io.BytesIO(boarding.rows(tiny_data.answers))
    competition.create(sqlite, solution, "Camp", list(tiny_data.labels), settings)
    with boarding.serve(sqlite) as running:
        _, token = running.team("Rabbits")
        yield running, token


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:unclosed <:ResourceWarning")
def test_a_run_on_gs_sends_its_predictions(
    camp, tiny_run, tiny_data, server, monkeypatch, tmp_path, capsys
):
    board, token = camp
    monkeypatch.delenv(client.TOKEN, raising=False)
    for path in Path(tiny_run).rglob("*"):
        if path.is_file():
            name = path.relative_to(tiny_run).as_posix()
            server.store.put("b", f"runs/tiny/{name}", path.read_bytes())
    server.store.put("b", "token", token.encode())
    flags = ["--train_dir=gs://b/runs/tiny", f"--input_data_pattern={tiny_data.test}"]
    sending = [f"--submit_to=http://127.0.0.1:{board.port}", "--token_file=gs://b/token"]
    assert inference.main(["inference", *flags, *sending, "--message=from a job"]) == 0
    said = capsys.readouterr()
    assert "entry 1: public top-1 " in said.out and token not in said.out + said.err
    sent = boarding.entry(board.database, 1)
    assert sent.message == "from a job"
    predicted = server.store.get("b", "runs/tiny/predictions.csv").data
    right = sum(
        str(tiny_data.answers[key]) == label
        for key, label in (line.split(",") for line in predicted.decode().split()[1:])
    )
    assert sent.public_points + sent.private_points == right > 20
