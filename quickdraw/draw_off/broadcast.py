"""The state of the contest that is sent to the pages: for everybody, and for the organiser."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

from quickdraw.draw_off.contest import Contest
from quickdraw.draw_off.director import Director


class RoundState(TypedDict):
    """The current round; between rounds, the previous one.

    Attributes:
        number: of the round.
        word: the word to draw.
        player: the id of the player who draws.
        name: of that player.
        at: the time on its clock, in milliseconds.
        runs: whether the clock runs.
        of: its length in milliseconds.
        finished: whether it has ended.
    """

    number: int
    word: str
    player: str
    name: str
    at: int
    runs: bool
    of: int
    finished: bool


class ModelState(TypedDict):
    """A model, with the current round included.

    Attributes:
        id: of the model.
        name: its display name.
        rank: its place.
        points: in all rounds.
        hits: in how many rounds it hit.
        round: points in this round.
        hit: the time of its hit, in milliseconds; None without one.
        top: (word, probability) of its latest answer, the likeliest first.
        p: the probability of the word, in its latest answer.
        state: "loading", "ready" or "out".
    """

    id: str
    name: str
    rank: int
    points: float
    hits: int
    round: float
    hit: int | None
    top: Sequence[tuple[str, float]]
    p: float
    state: str


def state(director: Director) -> dict[str, object]:
    """Return the public state, without secrets and details of the models' processes."""
    contest = director.contest
    return {
        "kind": "state",
        "phase": contest.phase,
        "rules": vars(contest.rules),
        "rounds": {"number": contest.number, "done": len(contest.past), "of": contest.rounds},
        "round": _round(director),
        "words": contest.drawn,
        "models": _models(director),
        "players": len(contest.players),
        "here": len(director.here()),
        "names": [each.name for each in contest.players.values()][-30:],
    }


def organisers_state(director: Director) -> dict[str, object]:
    """Return what only the organiser sees."""
    contest, here = director.contest, director.here()
    entered = [
        {
            "id": each.model,
            "name": each.name,
            "by": each.by,
            "labels": each.labels if contest.phase == "lobby" else [],  # there may be many
            "out": each.out,
            "chosen": each.model in contest.chosen,
        }
        for each in contest.models.values()
    ]
    players = [
        {"id": each.player, "name": each.name, "turns": each.turns, "here": each.player in here}
        for each in contest.players.values()
    ]
    more = {"entered": entered, "everybody": players, "trouble": director.trouble}
    return {**state(director), **more, "code": contest.code}


def _round(director: Director) -> RoundState | None:
    """Return the current round, or the previous one; None before the first."""
    contest, clock = director.contest, director.clock
    known = contest.now or (contest.past[-1] if contest.past else None)
    if known is None:
        return None
    player = contest.players[known.player]
    return {
        "number": known.number,
        "word": known.word,
        "player": player.player,
        "name": player.name,
        "at": min(clock.at, contest.limit) if contest.now else contest.at,
        "runs": clock.runs and contest.now is not None,
        "of": contest.limit,
        "finished": known.finished,
    }


def _models(director: Director) -> list[ModelState]:
    """Return the models by rank, with the current round included."""
    contest = director.contest
    known = contest.now or (contest.past[-1] if contest.past else None)
    shown: list[ModelState] = []
    for place in contest.standings(provisional=True):
        entered = contest.models[place.model]
        tally = known.models[place.model] if known else None
        shown.append(
            {
                "id": place.model,
                "name": entered.name,
                "rank": place.rank,
                "points": place.tenths / 10,
                "hits": place.hits,
                "round": tally.tenths(known.word, contest.rules) / 10 if tally and known else 0,
                "hit": tally.hit if tally else None,
                "top": list(tally.top) if tally else [],
                "p": tally.probability if tally else 0,
                "state": _state_of(director, contest, place.model),
            }
        )
    return shown


def _state_of(director: Director, contest: Contest, model: str) -> str:
    if contest.models[model].out:
        return "out"
    entrant = director.lineup.entrants.get(model)
    if contest.phase == "over":
        return "ready"
    return "ready" if entrant is not None and entrant.loaded else "loading"
