"""Scoring a predictions file: the figure, and every fault with its line."""

import unicodedata

import pytest

from quickdraw import score
from quickdraw.errors import QuickdrawError
from quickdraw.evaluation import scoring
from quickdraw.records import dataset_info

SOLUTION = "image_id,label\na,0\nb,1\nc,2\nd,2\n"
LABELS = ["cat", "hot dog", "sun", "The Eiffel Tower"]


@pytest.fixture
def scored(tmp_path):
    """Scores the text of a predictions file, with or without a dataset.json."""

    def run(predictions: str | bytes, solution: str = SOLUTION, described: bool = True) -> str:
        if described:
            dataset_info.DatasetInfo(LABELS).save(str(tmp_path))
        (tmp_path / "solution.csv").write_text(solution, encoding="utf-8")
        data = predictions if isinstance(predictions, bytes) else predictions.encode()
        (tmp_path / "p.csv").write_bytes(data)
        return str(scoring.score(str(tmp_path / "p.csv"), str(tmp_path / "solution.csv")))

    return run


@pytest.mark.parametrize("described", [True, False])
@pytest.mark.parametrize(
    ("labels", "expected"), [("0122", "1.0000"), ("0121", "0.7500"), ("2200", "0.0000")]
)
def test_labels_are_scored_by_top_1(scored, labels, expected, described):
    rows = "".join(f"{name},{label}\n" for name, label in zip("abcd", labels, strict=True))
    assert (
        scored("image_id,label\n" + rows, described=described) == f"top-1 {expected} (4 drawings)"
    )


def test_words_are_scored_by_their_place(scored):
    # First, second, third, not at all: (1 + 1/2 + 1/3 + 0) / 4.
    words = "key_id,word\na,cat sun hot_dog\nb,cat hot_dog\nc,cat hot_dog sun\nd,The_Eiffel_Tower\n"
    assert scored(words) == "MAP@3 0.4583 (4 drawings)"


@pytest.mark.parametrize(
    "predictions",
    [
        "image_id,label\nd,2\nb,1\na,0\nc,2\n",
        "image_id,label\r\na,0\r\nb,1\r\nc,2\r\nd,2\r\n",
        "image_id,label\na,0\nb,1\nc,2\nd,2",
        '"image_id","label"\n"a","0"\n"b",1\nc,2\nd,2\n',
        "\ufeffimage_id,label\na,0\nb,1\nc,2\nd,2\n",
    ],
    ids=["other order", "Windows", "no newline at the end", "quoted", "Excel's mark"],
)
def test_the_file_may_be_written_in_many_ways(scored, predictions):
    assert scored(predictions) == "top-1 1.0000 (4 drawings)"


GOOD = "image_id,label\na,0\nb,1\nc,2\n"
WORDS = "key_id,word\na,cat\nb,cat\nc,cat\n"


@pytest.mark.parametrize(
    ("predictions", "told"),
    [
        (GOOD, "p.csv: the id 'd' is missing"),
        (GOOD + "e,2\nd,2\n", "p.csv, line 5: the solution has no id 'e'"),
        (GOOD + "d,2\na,1\n", "p.csv, line 6: the id 'a' was there before"),
        (GOOD + "d,4\n", "p.csv, line 5: the label must be 0…3. Received: '4'"),
        (GOOD + "d,-1\n", "p.csv, line 5: the label must be 0…3. Received: '-1'"),
        (GOOD + "d,2.0\n", "p.csv, line 5: the label must be 0…3. Received: '2.0'"),
        (GOOD + "d,\n", "p.csv, line 5: the label must be 0…3. Received: ''"),
        (GOOD + "d,²\n", "p.csv, line 5: the label must be"),
        (GOOD + "d,sun\n", "p.csv, line 5: the label must be"),
        (GOOD + "d\n", "p.csv, line 5: two columns expected"),
        (GOOD + "d,2,0.9\n", "p.csv, line 5: two columns expected"),
        (GOOD + "\nd,2\n", "p.csv, line 5: two columns expected"),
        (WORDS + "d,son\n", "p.csv, line 5: no category 'son'. Did you mean 'sun'?"),
        (WORDS + "d,\n", "p.csv, line 5: one to three different words expected. Received: ''"),
        (WORDS + "d,sun sun\n", "p.csv, line 5: one to three different words expected"),
        (WORDS + "d,cat sun hot_dog The_Eiffel_Tower\n", "p.csv, line 5: one to three different"),
        (WORDS + "d,hot dog\n", "p.csv, line 5: no category 'hot'. Did you mean 'hot_dog'?"),
        ("a,0\nb,1\n", "p.csv, line 1: the header must be image_id,label or key_id,word"),
        ("id,label\na,0\n", "Received: 'id,label'"),
        ("", "p.csv, line 1: the header must be"),
        (b"image_id,label\n\xff\xfe,0\n", "p.csv: not a UTF-8 text file"),
        ('image_id,label\n"' + "a,0\n" * 50_000, "p.csv, line"),
    ],
    ids=lambda value: repr(value)[-40:],
)
def test_a_fault_is_told_with_its_line(scored, predictions, told):
    with pytest.raises(QuickdrawError) as caught:
        scored(predictions)
    assert told in str(caught.value)


def test_all_faults_are_told_at_once(scored):
    with pytest.raises(QuickdrawError) as caught:
        scored("image_id,label\na,9\nx,1\nb,1\nb,1\n")
    assert [line.rpartition("/")[2] for line in str(caught.value).splitlines()] == [
        "5 faults",
        "p.csv, line 2: the label must be 0…3. Received: '9'",
        "p.csv, line 3: the solution has no id 'x'",
        "p.csv, line 5: the id 'b' was there before",
        "p.csv: the id 'c' is missing",
        "p.csv: the id 'd' is missing",
    ]


def test_many_faults_are_counted_and_the_first_told(scored):
    with pytest.raises(QuickdrawError) as caught:
        scored("image_id,label\n" + "".join(f"x{number},0\n" for number in range(1000)))
    lines = str(caught.value).splitlines()
    assert lines[0] == "1,004 faults"
    assert lines[-1] == "… and 984 more"
    assert len(lines) == 22


def test_words_need_the_names_of_the_classes(scored):
    with pytest.raises(QuickdrawError, match=r"only with the names .* in the dataset\.json"):
        scored(WORDS + "d,sun\n", described=False)


@pytest.mark.parametrize(
    ("solution", "told"),
    [
        ("image_id,label\na,0\na,1\n", r"solution\.csv, line 3"),
        ("image_id,label\na,cat\n", r"solution\.csv, line 2"),
        ("image_id,label\n", r"solution\.csv: the solution is empty"),
        ("key_id,word\na,cat\n", r"solution\.csv: the header must be image_id,label"),
    ],
)
def test_a_bad_solution_is_told(scored, solution, told):
    with pytest.raises(QuickdrawError, match=told):
        scored(GOOD, solution)


def test_the_command_prints_the_score(tmp_path, capsys):
    (tmp_path / "solution.csv").write_text(SOLUTION)
    (tmp_path / "p.csv").write_text(SOLUTION)
    files = [f"--predictions={tmp_path}/p.csv", f"--solution={tmp_path}/solution.csv"]
    assert score.main(["quickdraw-score", *files]) == 0
    assert capsys.readouterr().out == "top-1 1.0000 (4 drawings)\n"


def test_a_solution_is_not_scored_with_itself(tmp_path, capsys):
    (tmp_path / "solution.csv").write_text(SOLUTION)
    files = [f"--predictions={tmp_path}/solution.csv", f"--solution={tmp_path}/./solution.csv"]
    assert score.main(["quickdraw-score", *files]) == 2
    assert "--predictions and --solution are one file" in capsys.readouterr().err


def test_the_command_fails_with_the_faults(tmp_path, capsys):
    (tmp_path / "solution.csv").write_text(SOLUTION)
    (tmp_path / "p.csv").write_text(GOOD)
    files = [f"--predictions={tmp_path}/p.csv", f"--solution={tmp_path}/solution.csv"]
    assert score.main(["quickdraw-score", *files]) == 1
    assert "the id 'd' is missing" in capsys.readouterr().err


def test_a_file_that_is_not_there_is_named(tmp_path, capsys):
    files = [f"--predictions={tmp_path}/p.csv", f"--solution={tmp_path}/s.csv"]
    assert score.main(["quickdraw-score", *files]) == 1
    assert "s.csv: No such file" in capsys.readouterr().err


def test_names_beside_the_solution_go_with_it(scored, tmp_path):
    (tmp_path / "solution.labels.csv").write_text("label,name\n0,cat\n1,dog\n2,sun\n")
    words = "key_id,word\na,cat\nb,dog\nc,sun\nd,sun\n"
    assert scored(words, described=False) == "MAP@3 1.0000 (4 drawings)"


def test_a_word_that_a_mac_wrote_is_the_same_word(tmp_path):
    dataset_info.DatasetInfo(["고양이", "sun"]).save(str(tmp_path))
    (tmp_path / "solution.csv").write_text("image_id,label\na,0\nb,1\n")
    decomposed = unicodedata.normalize("NFD", "고양이")
    (tmp_path / "p.csv").write_text(f"key_id,word\na,{decomposed}\nb,sun\n", encoding="utf-8")
    scored = scoring.score(str(tmp_path / "p.csv"), str(tmp_path / "solution.csv"))
    assert str(scored) == "MAP@3 1.0000 (2 drawings)"
