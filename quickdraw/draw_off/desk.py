"""Actions of the organiser and the players: validated requests that become events."""

from __future__ import annotations

import hashlib
import hmac
import math
import secrets
import unicodedata
from collections.abc import Collection
from typing import Any, TypeGuard

from quickdraw.draw_off.contest import Contest
from quickdraw.draw_off.rules import Event
from quickdraw.drawings import Strokes
from quickdraw.errors import QuickdrawError
from quickdraw.records.class_names import BLANK

MOST_PLAYERS, MOST_MODELS, MOST_ROUNDS = 100, 40, 200
MOST_STROKES, MOST_POINTS = 200, 5000
_LONGEST_NAME, _LONGEST_TOKEN = 24, 100
_SIDE = 1000
Message = dict[str, object]
"""A message of a page: a JSON object, not validated yet."""


class RefusedError(QuickdrawError):
    """A request that cannot be carried out now.

    Attributes:
        word: the key of its text on the pages.
    """

    def __init__(self, word: str, message: str):
        super().__init__(message)
        self.word = word


def hashed(token: str) -> str:
    """Return the SHA-256 of a secret, which is all that is stored of it."""
    return hashlib.sha256(token.encode()).hexdigest()


def is_right(token: object, kept: str) -> bool:
    """Compare a secret with its stored hash, in constant time."""
    if not isinstance(token, str) or len(token) > _LONGEST_TOKEN or not token.isascii() or not kept:
        return False
    return hmac.compare_digest(hashed(token), kept)


def clean_name(given: object) -> str:
    """Return a displayable name: one line, without control or bidirectional characters.

    Raises:
        RefusedError: nothing displayable is left.
    """
    text = unicodedata.normalize("NFC", given[:500]) if isinstance(given, str) else ""
    text = text.translate(BLANK)
    kept = "".join(sign for sign in text if sign.isprintable() or sign.isspace())
    name = " ".join(kept.split())[:_LONGEST_NAME].strip()
    if not name or not any(sign.isalnum() for sign in name):
        raise RefusedError("name_needed", "a name with a letter or a digit expected")
    return name


def join(contest: Contest, given: object) -> tuple[Event, str]:
    """Return the event of a new player, and the token that identifies them."""
    if contest.phase == "over":
        raise RefusedError("is_over", "the contest is over")
    if len(contest.players) >= MOST_PLAYERS:
        raise RefusedError("full", f"all {MOST_PLAYERS} places for players are taken")
    name = unlike(clean_name(given), [each.name for each in contest.players.values()])
    token = secrets.token_urlsafe(24)
    player = f"p{len(contest.players) + 1}"
    return {"kind": "joined", "player": player, "name": name, "token": hashed(token)}, token


def unlike(name: str, others: Collection[str]) -> str:
    """Return a name different from the others, ignoring case."""
    taken, made, number = {each.casefold() for each in others}, name, 2
    while made.casefold() in taken:
        made, number = f"{name} ({number})", number + 1
    return made


def begin(contest: Contest, models: object, words: object, rounds: object) -> Event:
    """Return the event that begins the contest.

    Args:
        contest: that has not begun.
        models: ids of those that take part.
        words: the words to draw; empty for all that every model knows.
        rounds: the planned number of rounds.
    """
    if contest.phase != "lobby":
        raise RefusedError("has_begun", "the contest has begun")
    chosen = [each for each in contest.models if isinstance(models, list) and each in models]
    if not 1 <= len(chosen) <= MOST_MODELS:
        raise RefusedError(
            "models_needed", f"1…{MOST_MODELS} models expected. Received: {len(chosen)}"
        )
    common = contest.common_words(chosen)
    wanted = words if isinstance(words, list) and words else common
    drawn = [word for word in common if word in wanted]
    if len(common) < 2 or not drawn:
        raise RefusedError(
            "words_needed",
            "two words that all models know, one of them to draw, expected. "
            f"Received: {len(common)} and {len(drawn)}",
        )
    if type(rounds) is not int or not 1 <= rounds <= MOST_ROUNDS:
        raise RefusedError(
            "rounds_needed", f"1…{MOST_ROUNDS} rounds expected. Received: {rounds!r:.80}"
        )
    return {"kind": "began", "models": chosen, "words": common, "chosen": drawn, "rounds": rounds}


def next_round(contest: Contest, here: Collection[str]) -> Event:
    """Return the event of the next round: the player and the word with the fewest rounds.

    Args:
        contest: between two rounds.
        here: ids of the players who are connected.
    """
    if contest.phase != "idle":
        raise RefusedError("not_now", f"a round begins between two rounds, not in {contest.phase}")
    present = [player for player in contest.players.values() if player.player in here]
    if contest.again and contest.again[0] in here:
        player, word = contest.again
    elif present:
        player = min(present, key=lambda each: each.turns).player
        word = _next_word(contest)
    else:
        raise RefusedError("players_needed", "nobody is here to draw")
    return {"kind": "round", "round": contest.number + 1, "word": word, "player": player}


def _next_word(contest: Contest) -> str:
    counts = dict.fromkeys(contest.drawn, 0)
    for each in contest.past:
        counts[each.word] += 1
    least = min(counts.values())
    last = contest.past[-1].word if contest.past else ""
    left = [word for word, count in counts.items() if count == least]
    return secrets.SystemRandom().choice([word for word in left if word != last] or left)


def start(contest: Contest) -> Event:
    """Return the event that starts the clock."""
    if contest.phase != "ready" or contest.now is None:
        raise RefusedError("not_now", f"no round waits for its start: {contest.phase}")
    return {"kind": "started", "round": contest.now.number}


def annul(contest: Contest, again: bool) -> Event:
    """Return the event that annuls the current round, or else the previous one."""
    known = contest.now or (contest.past[-1] if contest.past else None)
    if known is None or contest.phase in ("lobby", "over"):
        raise RefusedError("not_now", "there is no round to take back")
    return {"kind": "annulled", "round": known.number, "again": again}


def end(contest: Contest) -> Event:
    """Return the event that ends the contest; a round in progress does not count."""
    if contest.phase in ("lobby", "over"):
        raise RefusedError("not_now", f"no contest is under way to be ended: {contest.phase}")
    return {"kind": "ended"}


def ink(contest: Contest, message: Message, at: int) -> Event | None:
    """Return the event of a change to the drawing; None if it is of another round.

    Raises:
        RefusedError: it is invalid, or the drawing would be too large.
    """
    now = contest.now
    if now is None or contest.phase != "drawing" or message.get("round") != now.number:
        return None
    keep, strokes, drawing = message.get("keep"), message.get("strokes"), contest.drawing
    if not _is_keep(keep, drawing) or not isinstance(strokes, list):
        raise RefusedError("out_of_step", "the drawing is out of step")
    if len(strokes) > MOST_STROKES or not all(map(_is_stroke, strokes)):
        raise RefusedError("bad_ink", "strokes expected: [[x, …], [y, …], [milliseconds, …]]")
    kept: int = sum(len(stroke[0]) for stroke in drawing[: keep[0]]) + keep[1]
    points = kept + sum(len(stroke[0]) for stroke in strokes)
    if points > MOST_POINTS or keep[0] + len(strokes) > MOST_STROKES:
        raise RefusedError("much_ink", f"at most {MOST_POINTS:,} points expected")
    whole = [[[round(value, 1) for value in axis] for axis in stroke] for stroke in strokes]
    return {"kind": "ink", "round": now.number, "at": at, "keep": keep, "strokes": whole}


def _is_keep(keep: object, drawing: Strokes) -> TypeGuard[list[int]]:
    if not (isinstance(keep, list) and len(keep) == 2 and all(type(k) is int for k in keep)):
        return False
    whole, points = keep
    if not 0 <= whole <= len(drawing) or points < 0:
        return False
    return not points or (whole < len(drawing) and points <= len(drawing[whole][0]))


def _is_stroke(stroke: object) -> bool:
    if not (isinstance(stroke, list) and len(stroke) == 3):
        return False
    if not all(isinstance(axis, list) and len(axis) == len(stroke[0]) for axis in stroke):
        return False
    if not 0 < len(stroke[0]) <= MOST_POINTS:
        return False
    x, y, times = stroke
    places_are = all(_is_number(value, 0, _SIDE) for value in (*x, *y))
    return places_are and all(_is_number(value, 0, 3_600_000) for value in times)


def _is_number(value: Any, low: float, high: float) -> bool:
    return type(value) in (int, float) and math.isfinite(value) and low <= value <= high


def withdraw(contest: Contest, model: object) -> Event:
    """Return the event that withdraws a model before the contest begins."""
    if contest.phase != "lobby" or model not in list(contest.models):
        raise RefusedError(
            "not_now", "a model that was entered can leave before the contest begins"
        )
    return {"kind": "withdrawn", "model": model}
