"""The state of the contest as a function of its events (event sourcing).

Events, in the order in which they may occur:

    opened      format, rules, organiser (a hash), code: the contest is created
    linked      organiser (a hash): a new link replaces the old one
    entered     model, name, by, labels, file, answers: a model that may take part
    withdrawn   model: it no longer takes part
    joined      player, name, token (a hash)
    began       models, words (that all of them know), chosen (that are drawn), rounds
    round       round, word, player: who is to draw what
    started     round: the clock runs
    ink         round, at, keep, strokes: see `strokes_after`
    answers     round, at, answers: by model `top`, `[[word, probability], …]`, and `p` of the word
    clock       round, at: the time, while there are no other events
    finished    round, why
    annulled    round, again: it does not count
    out         model, why: it is out of the contest
    ended

Every one has `kind` and `time`; `at` is milliseconds of the round's clock.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

from quickdraw.draw_off import rules
from quickdraw.draw_off.rules import Event, Place, RoundTally, Rules
from quickdraw.drawings import Strokes
from quickdraw.errors import QuickdrawError

FORMAT = 1


@dataclasses.dataclass
class EnteredModel:
    """A model that may take part.

    Attributes:
        model: its id.
        name: its display name.
        by: "run" or "file".
        labels: its classes.
        file: its path in the contest's folder.
        answers: a digest of its answers when it was checked, by which it is recognised.
        out: why it is out; empty while it is not.
    """

    model: str
    name: str
    by: str
    labels: list[str]
    file: str
    answers: str = ""
    out: str = ""


@dataclasses.dataclass
class Player:
    """A player, who draws.

    Attributes:
        player: the public id.
        name: the display name.
        token: the hash of the secret that identifies them.
        turns: the number of rounds they have drawn in.
    """

    player: str
    name: str
    token: str
    turns: int = 0


class Contest:
    """The state after the events so far.

    Attributes:
        rules: of the game.
        organiser: the hash of the organiser's token; empty before the contest is opened.
        code: the code that players and teams need to join.
        models: all entered models, by id.
        players: by id.
        chosen: the models that take part, once it began.
        words: the classes that all of them know.
        drawn: the words that may be drawn.
        rounds: the planned number of rounds.
        phase: "lobby", "idle" (between rounds), "ready", "drawing" or "over".
        now: the current round; None between rounds.
        past: the rounds that have ended and count.
        drawing: raw strokes of the current round, or of the previous one.
        at: the time on the round's clock, in milliseconds.
        number: of the latest round.
        again: the annulled round that is to be repeated; None for none.
    """

    def __init__(self) -> None:
        self.rules, self.organiser, self.code = Rules(), "", ""
        self.models: dict[str, EnteredModel] = {}
        self.players: dict[str, Player] = {}
        self.chosen: list[str] = []
        self.words: list[str] = []
        self.drawn: list[str] = []
        self.rounds, self.number, self.at = 0, 0, 0
        self.phase = "lobby"
        self.now: RoundTally | None = None
        self.past: list[RoundTally] = []
        self.drawing: Strokes = []
        self.again: tuple[str, str] | None = None

    def apply(self, event: Event) -> None:
        """Apply an event.

        Raises:
            QuickdrawError: it is of a kind unknown to this version.
        """
        act: Callable[[Event], None] | None = getattr(self, f"_{event['kind']}", None)
        if act is None:
            raise QuickdrawError(f"an event of kind {event['kind']!r}: of a later version?")
        act(event)

    def common_words(self, models: Sequence[str]) -> list[str]:
        """Return the words that all of some models know, sorted."""
        known = [set(self.models[model].labels) for model in models]
        return sorted(set.intersection(*known)) if known else []

    def standings(self, provisional: bool = False) -> list[Place]:
        """Return the ranking; provisional includes the current round as if it ended now."""
        rounds = [*self.past, *([self.now] if provisional and self.now else [])]
        return rules.standings(self.rules, self.chosen, rounds)

    @property
    def limit(self) -> int:
        """The length of a round, in milliseconds."""
        return self.rules.seconds * 1000

    # ---- One method for each kind of event
    def _opened(self, event: Event) -> None:
        if event["format"] > FORMAT:
            raise QuickdrawError(
                "this contest was made by a later version of quickdraw (format "
                f"{event['format']}, this reads up to {FORMAT})"
            )
        self.rules = Rules(**event["rules"])
        self.organiser, self.code = event["organiser"], event["code"]

    def _linked(self, event: Event) -> None:
        self.organiser = event["organiser"]

    def _entered(self, event: Event) -> None:
        names = [each.name for each in dataclasses.fields(EnteredModel) if each.name in event]
        self.models[event["model"]] = EnteredModel(**{name: event[name] for name in names})

    def _withdrawn(self, event: Event) -> None:
        del self.models[event["model"]]

    def _joined(self, event: Event) -> None:
        self.players[event["player"]] = Player(event["player"], event["name"], event["token"])

    def _began(self, event: Event) -> None:
        self.chosen, self.words = event["models"], event["words"]
        self.drawn, self.rounds, self.phase = event["chosen"], event["rounds"], "idle"

    def _round(self, event: Event) -> None:
        fresh = {model: rules.ModelTally() for model in self.chosen}
        self.number = event["round"]
        self.now = RoundTally(self.number, event["word"], event["player"], fresh)
        self.players[event["player"]].turns += 1
        self.phase, self.drawing, self.at, self.again = "ready", [], 0, None

    def _started(self, event: Event) -> None:
        self.phase = "drawing"

    def _ink(self, event: Event) -> None:
        self.drawing = strokes_after(self.drawing, event["keep"], event["strokes"])
        self.at = max(self.at, event["at"])

    def _answers(self, event: Event) -> None:
        if self.now and self.now.number == event["round"]:
            self.now.add(event)
            self.at = max(self.at, event["at"])

    def _clock(self, event: Event) -> None:
        self.at = max(self.at, event["at"])

    def _finished(self, event: Event) -> None:
        assert self.now is not None
        self.now.finished = True
        self.past.append(self.now)
        self.now, self.phase = None, "idle"

    def _annulled(self, event: Event) -> None:
        known = self.now or self.past[-1]
        self.players[known.player].turns -= 1
        if self.now is None:
            self.past.pop()
        self.now, self.phase, self.drawing = None, "idle", []
        self.again = (known.player, known.word) if event["again"] else None

    def _out(self, event: Event) -> None:
        self.models[event["model"]].out = event["why"]

    def _ended(self, event: Event) -> None:
        self.now, self.phase = None, "over"


def strokes_after(drawing: Strokes, keep: Sequence[int], strokes: Strokes) -> Strokes:
    """Return a drawing after a change: a prefix of it, and new strokes.

    Undo keeps a shorter prefix; drawing appends; a phone that reconnects sends what is missing.

    Args:
        drawing: strokes `[[x, …], [y, …], [milliseconds, …]]`.
        keep: how many whole strokes, and how many points of the next one.
        strokes: what follows; the first continues the cut stroke, if a point of it is kept.
    """
    whole, points = keep
    if not points or whole >= len(drawing):
        return [*drawing[:whole], *strokes]
    part = [axis[:points] for axis in drawing[whole]]
    first, *rest = strokes or [[[], [], []]]
    joined = [[*old, *new] for old, new in zip(part, first, strict=True)]
    return [*drawing[:whole], joined, *rest]


def change(sent: Strokes, drawing: Strokes) -> tuple[list[int], Strokes] | None:
    """Return `keep` and `strokes` that turn one drawing into another; None if they are equal."""
    whole = 0
    while whole < min(len(sent), len(drawing)) and sent[whole] == drawing[whole]:
        whole += 1
    if whole == len(sent) == len(drawing):
        return None
    if whole < min(len(sent), len(drawing)):
        old, new = sent[whole], drawing[whole]
        count = len(old[0])
        if count <= len(new[0]) and all(a == b[:count] for a, b in zip(old, new, strict=True)):
            more = [axis[count:] for axis in new]
            return [whole, count], [more, *drawing[whole + 1 :]]
    return [whole, 0], [*drawing[whole:]]
