"""The contest: a function of its events, which survive a kill; and what may be wished for."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quickdraw.draw_off import desk
from quickdraw.draw_off.contest import Contest, change, strokes_after
from quickdraw.draw_off.event_log import EventLog
from quickdraw.errors import QuickdrawError

points = st.lists(st.integers(0, 1000), min_size=1, max_size=6)
stroke = points.map(lambda xs: [xs, [x + 1 for x in xs], [10 * i for i, _ in enumerate(xs)]])
drawing = st.lists(stroke, max_size=4)


def contest_of(*events):
    made = Contest()
    for event in events:
        made.apply(event)
    return made


def opened():
    return {
        "kind": "opened",
        "format": 1,
        "rules": {},
        "organiser": desk.hashed("secret"),
        "code": "abc",
    }


def entered(model, *labels):
    return {
        "kind": "entered",
        "model": model,
        "name": model,
        "by": "file",
        "labels": list(labels),
        "file": f"{model}.onnx",
    }


@pytest.fixture
def lobby():
    made = contest_of(opened(), entered("a", "cat", "dog", "sun"), entered("b", "sun", "cat"))
    for name in ("Ada", "Bo"):
        made.apply(desk.join(made, name)[0])
    return made


@pytest.fixture
def begun(lobby):
    lobby.apply(desk.begin(lobby, ["a", "b"], [], 4))
    return lobby


@given(drawing, drawing)
def test_a_change_leads_from_any_drawing_to_any_other(old, new):
    found = change(old, new)
    if found is None:
        assert old == new
    else:
        assert strokes_after(old, *found) == new


@given(drawing, stroke)
def test_drawing_on_sends_what_is_new_only(old, more):
    assert change(old, [*old, more]) == ([len(old), 0], [more])
    longer = [[*axis, axis[-1]] for axis in more]
    keep, strokes = change([*old, more], [*old, longer])
    assert keep == [len(old), len(more[0])]
    assert [len(axis) for axis in strokes[0]] == [1, 1, 1]


def test_words_are_those_that_all_models_know(lobby):
    assert desk.begin(lobby, ["a", "b"], [], 3)["words"] == ["cat", "sun"]
    assert desk.begin(lobby, ["a", "b"], ["sun", "dog"], 3)["chosen"] == ["sun"]
    with pytest.raises(desk.RefusedError, match="words"):
        desk.begin(lobby, ["a", "b"], ["dog"], 3)
    with pytest.raises(desk.RefusedError, match="models"):
        desk.begin(lobby, ["nobody"], [], 3)
    for rounds in (0, True, "3", 10**9, None):
        with pytest.raises(desk.RefusedError, match="rounds"):
            desk.begin(lobby, ["a"], [], rounds)


def test_players_take_turns_and_words_come_as_often(begun):
    players, words = [], []
    for _ in range(4):
        event = desk.next_round(begun, ["p1", "p2"])
        begun.apply(event)
        begun.apply(desk.start(begun))
        begun.apply({"kind": "finished", "round": event["round"], "why": "time"})
        players.append(event["player"])
        words.append(event["word"])
    assert players == ["p1", "p2", "p1", "p2"]
    assert sorted(words) == ["cat", "cat", "sun", "sun"]


def test_somebody_who_is_away_is_passed_over(begun):
    assert desk.next_round(begun, ["p2"])["player"] == "p2"
    with pytest.raises(desk.RefusedError, match="nobody"):
        desk.next_round(begun, [])


def test_a_round_is_repeated_by_the_same_player_with_the_same_word(begun):
    event = desk.next_round(begun, ["p1", "p2"])
    begun.apply(event)
    begun.apply(desk.annul(begun, again=True))
    repeated = desk.next_round(begun, ["p1", "p2"])
    assert (repeated["player"], repeated["word"]) == (event["player"], event["word"])
    assert repeated["round"] == 2


def test_one_that_has_ended_can_be_taken_back(begun):
    begun.apply(desk.next_round(begun, ["p1"]))
    begun.apply(desk.start(begun))
    begun.apply({"kind": "finished", "round": 1, "why": "time"})
    begun.apply(desk.annul(begun, again=False))
    assert begun.past == []
    assert begun.players["p1"].turns == 0
    with pytest.raises(desk.RefusedError):
        desk.annul(begun, again=False)


NO_NAMES = ["", "  ", None, 7, "\u202e", "!!!", "\x00\n", "\ud800", "\U0001f600" * 1000]
NO_NAMES += ["\u3164", "\u1160\uffa0", "\u2800"]  # letters that show nothing


@pytest.mark.parametrize("name", NO_NAMES)
def test_a_name_that_is_none_is_refused(lobby, name):
    with pytest.raises(desk.RefusedError, match="name"):
        desk.join(lobby, name)


def test_names_are_made_plain_and_told_apart(lobby):
    event, _ = desk.join(lobby, " ada\n\u202e  lovelace " + "x" * 99)
    assert event["name"] == "ada lovelace xxxxxxxxxxx"
    for again in ("ADA", "Ada\u3164", "a\u200bda"):
        assert desk.join(lobby, again)[0]["name"].casefold() == "ada (2)"


BAD_INK = [
    {},
    {"keep": [0, 0]},
    {"keep": [0], "strokes": []},
    {"keep": [1, 0], "strokes": []},
    {"keep": [0, 1], "strokes": []},
    {"keep": [-1, 0], "strokes": []},
    {"keep": [True, 0], "strokes": []},
    {"keep": [0, 0], "strokes": "no"},
    {"keep": [0, 0], "strokes": [[[1], [2]]]},
    {"keep": [0, 0], "strokes": [[[1], [2], [3, 4]]]},
    {"keep": [0, 0], "strokes": [[[], [], []]]},
    {"keep": [0, 0], "strokes": [[[float("nan")], [2], [3]]]},
    {"keep": [0, 0], "strokes": [[[1e9], [2], [3]]]},
    {"keep": [0, 0], "strokes": [[["1"], [2], [3]]]},
    {"keep": [0, 0], "strokes": [[[1] * 5001, [2] * 5001, [3] * 5001]]},
    {"keep": [0, 0], "strokes": [[[1], [2], [3]]] * 201},
]


@pytest.mark.parametrize("message", BAD_INK, ids=str)
def test_ink_that_is_none_is_refused(begun, message):
    begun.apply(desk.next_round(begun, ["p1"]))
    begun.apply(desk.start(begun))
    with pytest.raises(desk.RefusedError):
        desk.ink(begun, {"round": 1, **message}, 5)


def test_ink_of_another_round_is_left_out(begun):
    message = {"round": 1, "keep": [0, 0], "strokes": [[[1], [2], [3]]]}
    assert desk.ink(begun, message, 5) is None
    begun.apply(desk.next_round(begun, ["p1"]))
    begun.apply(desk.start(begun))
    begun.apply(desk.ink(begun, message, 5))
    assert begun.drawing == [[[1], [2], [3]]]
    assert desk.ink(begun, {**message, "round": 2}, 6) is None


def test_a_secret_is_compared_with_its_hash():
    assert desk.is_right("secret", desk.hashed("secret"))
    for wrong in ("", "Secret", None, 7, "x" * 1000, ["secret"], "\ud800", "비밀"):
        assert not desk.is_right(wrong, desk.hashed("secret"))
    assert not desk.is_right("", "")


def test_a_log_is_read_again_without_its_torn_line(tmp_path):
    path = tmp_path / "events.jsonl"
    log = EventLog(str(path))
    log.append({"kind": "a"}, {"kind": "b", "text": "é\u2028\n"})
    log.sync()
    log.close()
    whole = path.read_bytes()
    for torn in (b'{"kind": "c"', b"\xff", b'{"kind": "c", "text": "\xc3'):
        path.write_bytes(whole + torn)
        again = EventLog(str(path))
        assert [event["kind"] for event in again.events] == ["a", "b"]
        again.append({"kind": "d"})
        again.close()
        assert json.loads(path.read_bytes().splitlines()[-1]) == {"kind": "d"}


def test_a_damaged_log_is_refused_and_one_in_use_too(tmp_path):
    path = tmp_path / "events.jsonl"
    log = EventLog(str(path))
    with pytest.raises(QuickdrawError, match="another server"):
        EventLog(str(path))
    log.close()
    path.write_text('{"kind": "a"}\nnonsense\n{"kind": "b"}\n')
    with pytest.raises(QuickdrawError, match="line 2"):
        EventLog(str(path))


def test_a_full_disk_leaves_no_half_line(tmp_path, monkeypatch):
    log = EventLog(str(tmp_path / "events.jsonl"))
    log.append({"kind": "a"})
    real = __import__("os").write

    def full(file, data):
        real(file, bytes(data)[:5])
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.write", full)
        with pytest.raises(QuickdrawError, match="No space"):
            log.append({"kind": "b"})
    log.append({"kind": "c"})
    log.close()
    again = EventLog(str(tmp_path / "events.jsonl"))
    assert [event["kind"] for event in again.events] == ["a", "c"]
    again.close()
