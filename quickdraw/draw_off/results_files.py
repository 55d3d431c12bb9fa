"""The results as csv, safe to open in a spreadsheet: the ranking, and every round."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from quickdraw.draw_off import entering, rules
from quickdraw.draw_off.contest import Contest
from quickdraw.draw_off.rules import Event
from quickdraw.storage import safe_cell

PLACES = ("rank", "model", "points", "hits", "mean_log_probability", "rounds", "by", "file")
ROUNDS = (
    *("round", "word", "player", "model", "hit_seconds", "guess", "guess_probability"),
    *("word_probability", "sure_and_wrong", "answers", "points"),
)


PlaceRow = tuple[int, str, float, int, float, int, str, str]
"""A row of `PLACES`."""


def places(contest: Contest) -> list[PlaceRow]:
    """Return the rows of `PLACES` after the rounds that have ended."""
    return [
        (
            place.rank,
            contest.models[place.model].name,
            place.tenths / 10,
            place.hits,
            place.mean_log,
            len(contest.past),
            contest.models[place.model].by,
            entering.digits(contest.models[place.model].file),
        )
        for place in contest.standings()
    ]


def by_round(contest: Contest) -> list[tuple[object, ...]]:
    """Return the rows of `ROUNDS`: every model in every round."""
    rows: list[tuple[object, ...]] = []
    for each in contest.past:
        for model, tally in each.models.items():
            guess, probability = tally.top[0] if tally.top else ("", "")
            rows.append(
                (
                    each.number,
                    each.word,
                    contest.players[each.player].name,
                    contest.models[model].name,
                    "" if tally.hit is None else tally.hit / 1000,
                    guess,
                    probability,
                    tally.probability,
                    int(tally.wrong_and_sure(each.word, contest.rules)),
                    tally.answers,
                    tally.tenths(each.word, contest.rules) / 10,
                )
            )
    return rows


def as_csv(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a csv file in UTF-8 with a byte order mark, which Excel needs."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(head)
    writer.writerows([safe_cell(cell) for cell in row] for row in rows)
    return f"\ufeff{text.getvalue()}"


def contest_of(events: Iterable[Event]) -> Contest:
    """Return the contest after some events."""
    contest = Contest()
    for event in events:
        contest.apply(event)
    return contest


def agrees(contest: Contest, events: Iterable[Event]) -> bool:
    """Return whether `rules.score` and the contest have the same ranking."""
    return rules.score(events) == contest.standings()
