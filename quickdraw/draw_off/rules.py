"""The rules of the final, and the score: a function of what was written down, of nothing else.

All models of a round get the same drawings, at the same moments. A model hits when the word has
been its likeliest for two answers in a row. Points are counted in tenths, whole numbers, so that
equal ones are equal.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Sequence
from typing import Any, TypedDict

Event = dict[str, Any]
"""What was written down, a line of JSON; see `contest` for the kinds, and what each says."""

_LEAST = 1e-6
"""The probability that counts for the mean logarithm where a model says less, or nothing."""


class Answer(TypedDict):
    """What a model says to a drawing.

    Attributes:
        top: (word, probability) of the likeliest words, the likeliest first.
        p: the probability of the word that is drawn.
    """

    top: Sequence[tuple[str, float]]
    p: float


@dataclasses.dataclass(frozen=True)
class Rules:
    """What counts how much.

    Attributes:
        seconds: how long a round takes.
        first: points of a hit in the first moment; they fall in a straight line.
        last: points of a hit in the last one.
        bonus: points for each 1 of probability that the word has at the end.
        sure: the probability from which a wrong word at the end costs.
        penalty: what it costs.
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
            hit: the millisecond of its hit; None without one.
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
    """A model in a round, as far as it has come.

    Attributes:
        top: its last answer: (word, probability), the likeliest first.
        probability: of the word, in its last answer.
        hit: the millisecond of the drawing with which it hit.
        answers: how many it gave.
    """

    top: Sequence[tuple[str, float]] = ()
    probability: float = 0.0
    hit: int | None = None
    answers: int = 0

    def add(self, word: str, at: int, answer: Answer) -> None:
        """Count an answer, of the drawing at a millisecond of the round."""
        first = answer["top"][0][0]
        if self.hit is None and first == word and self.top and self.top[0][0] == word:
            self.hit = at
        self.top, self.probability = answer["top"], answer["p"]
        self.answers += 1

    def wrong_and_sure(self, word: str, rules: Rules) -> bool:
        """Whether another word has more than the rules' limit."""
        return bool(self.top) and self.top[0][0] != word and self.top[0][1] > rules.sure

    def tenths(self, word: str, rules: Rules) -> int:
        """Return its points, in tenths, if the round ended now."""
        return rules.tenths(self.hit, self.probability, self.wrong_and_sure(word, rules))

    @property
    def logarithm(self) -> float:
        """Of the word's probability."""
        return math.log(max(self.probability, _LEAST))


@dataclasses.dataclass
class RoundTally:
    """A round: who draws what, and what each model has made of it."""

    number: int
    word: str
    player: str
    models: dict[str, ModelTally]
    finished: bool = False

    def add(self, event: Event) -> None:
        """Count the answers of an event."""
        for model, answer in event["answers"].items():
            if model in self.models:
                self.models[model].add(self.word, event["at"], answer)


@dataclasses.dataclass(frozen=True)
class Place:
    """A model's place.

    Attributes:
        model: its id.
        rank: shared by models that are equal in points and in the mean logarithm.
        tenths: its points, in tenths.
        hits: in how many rounds it hit.
        mean_log: of the word's probability at the end of each round; to six places.
    """

    model: str
    rank: int
    tenths: int
    hits: int
    mean_log: float


def tallies(events: Iterable[Event]) -> tuple[Rules, list[str], list[RoundTally]]:
    """Return the rules, the models that take part, and each round that was not annulled."""
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
    """Return the places, the best first, of the rounds that have ended and count.

    Args:
        events: of one contest, in their order; see `contest` for what they are. Those of other
            kinds do not matter.
    """
    rules, models, rounds = tallies(events)
    return standings(rules, models, [each for each in rounds if each.finished])


def standings(rules: Rules, models: Sequence[str], rounds: Sequence[RoundTally]) -> list[Place]:
    """Return the places after some rounds, the best first; ties by the mean logarithm."""
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
