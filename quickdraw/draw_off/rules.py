"""The rules of the final, and the score: a pure function of the event log.

All models of a round get the same drawings, at the same times. A model hits when the word is its
likeliest guess for two answers in a row. Points are integers, in tenths, so that ties are exact.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Sequence
from typing import Any, TypedDict

Event = dict[str, Any]
"""A line of the event log, a JSON object; `contest` documents the kinds and their fields."""

_LEAST = 1e-6
"""The lowest probability in the mean logarithm; also counts for a missing answer."""


class Answer(TypedDict):
    """The answer of a model to a drawing.

    Attributes:
        top: (word, probability) of the likeliest words, the likeliest first.
        p: the probability of the word to draw.
    """

    top: Sequence[tuple[str, float]]
    p: float


@dataclasses.dataclass(frozen=True)
class Rules:
    """The parameters of the score.

    Attributes:
        seconds: the length of a round.
        first: points of a hit at the start; they fall linearly.
        last: points of a hit at the end.
        bonus: points times the probability of the word at the end.
        sure: the probability above which a wrong word at the end is penalised.
        penalty: the points lost then.
    """

    seconds: int = 20
    first: int = 100
    last: int = 50
    bonus: int = 10
    sure: float = 0.8
    penalty: int = 10

    def tenths(self, hit: int | None, probability: float, wrong_and_sure: bool) -> int:
        """Return the points of a model in a round, in tenths.

        Args:
            hit: the time of its hit, in milliseconds; None without one.
            probability: of the word, at the end.
            wrong_and_sure: whether another word had more than `sure` at the end.
        """
        points = self.bonus * probability - self.penalty * wrong_and_sure
        if hit is not None:
            share = min(max(hit / (self.seconds * 1000), 0.0), 1.0)
            points += self.first - (self.first - self.last) * share
        return round(points * 10)


@dataclasses.dataclass
class ModelTally:
    """The tally of a model in a round so far.

    Attributes:
        top: its latest answer: (word, probability), the likeliest first.
        probability: of the word, in its latest answer.
        hit: the time of the drawing with which it hit, in milliseconds.
        answers: the number of its answers.
    """

    top: Sequence[tuple[str, float]] = ()
    probability: float = 0.0
    hit: int | None = None
    answers: int = 0

    def add(self, word: str, at: int, answer: Answer) -> None:
        """Add its answer to the drawing at a time of the round, in milliseconds."""
        first = answer["top"][0][0]
        if self.hit is None and first == word and self.top and self.top[0][0] == word:
            self.hit = at
        self.top, self.probability = answer["top"], answer["p"]
        self.answers += 1

    def wrong_and_sure(self, word: str, rules: Rules) -> bool:
        """Whether the likeliest word is wrong and above the rules' limit."""
        return bool(self.top) and self.top[0][0] != word and self.top[0][1] > rules.sure

    def tenths(self, word: str, rules: Rules) -> int:
        """Return its points, in tenths, as if the round ended now."""
        return rules.tenths(self.hit, self.probability, self.wrong_and_sure(word, rules))

    @property
    def logarithm(self) -> float:
        """The logarithm of the word's probability."""
        return math.log(max(self.probability, _LEAST))


@dataclasses.dataclass
class RoundTally:
    """A round: its player and its word, and the tally of each model."""

    number: int
    word: str
    player: str
    models: dict[str, ModelTally]
    finished: bool = False

    def add(self, event: Event) -> None:
        """Add the answers of an event."""
        for model, answer in event["answers"].items():
            if model in self.models:
                self.models[model].add(self.word, event["at"], answer)


@dataclasses.dataclass(frozen=True)
class Place:
    """The rank of a model.

    Attributes:
        model: its id.
        rank: from 1; shared by models with equal points and mean logarithm.
        tenths: its points, in tenths.
        hits: the number of rounds with a hit.
        mean_log: the mean logarithm of the word's probability at the end of each round, rounded to
            six decimal places.
    """

    model: str
    rank: int
    tenths: int
    hits: int
    mean_log: float


def tallies(events: Iterable[Event]) -> tuple[Rules, list[str], list[RoundTally]]:
    """Return the rules, the models that take part, and the rounds that were not annulled."""
    rules, models, rounds = Rules(), [], {}
    for event in events:
        kind, number = event["kind"], event.get("round")
        if kind == "opened":
            rules = Rules(**event["rules"])
        elif kind == "began":
            models = list(event["models"])
        elif kind == "round":
            fresh = {model: ModelTally() for model in models}
            rounds[number] = RoundTally(event["round"], event["word"], event["player"], fresh)
        elif kind == "annulled":
            rounds.pop(number, None)
        elif kind == "answers" and number in rounds and not rounds[number].finished:
            rounds[number].add(event)
        elif kind == "finished" and number in rounds:
            rounds[number].finished = True
    return rules, models, list(rounds.values())


def score(events: Iterable[Event]) -> list[Place]:
    """Return the ranking after the rounds that have ended and count, the best first.

    Args:
        events: of one contest, in order, see `contest`; other kinds are ignored.
    """
    rules, models, rounds = tallies(events)
    return standings(rules, models, [each for each in rounds if each.finished])


def standings(rules: Rules, models: Sequence[str], rounds: Sequence[RoundTally]) -> list[Place]:
    """Return the ranking after some rounds, the best first; ties by the mean logarithm."""
    keyed = []
    for model in models:
        mine = [(each.models[model], each.word) for each in rounds]
        tenths = sum(tally.tenths(word, rules) for tally, word in mine)
        logs = [tally.logarithm for tally, _ in mine]
        mean = round(math.fsum(logs) / len(logs), 6) if logs else 0.0
        hits = sum(tally.hit is not None for tally, _ in mine)
        keyed.append(((-tenths, -mean), model, hits))
    keyed.sort(key=lambda each: each[0])
    keys = [key for key, _, _ in keyed]
    return [Place(model, keys.index(key) + 1, -key[0], hits, -key[1]) for key, model, hits in keyed]
