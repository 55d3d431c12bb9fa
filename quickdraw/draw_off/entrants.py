"""The models that take part, each in its process: loaded, asked, begun anew when it fails."""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import Hashable, Sequence

import numpy as np

from quickdraw.draw_off.rules import Answer
from quickdraw.drawings import Strokes
from quickdraw.errors import QuickdrawError
from quickdraw.runs.exported import Description
from quickdraw.sandbox import checking
from quickdraw.sandbox.cage import Cage, CageLimits

ANSWER_SECONDS = 2.0
MOST_FAILURES = 3
_SHOWN = 3
_LEAST_MASS = 1e-9


class Entrant:
    """A model that takes part.

    Args:
        model: its id.
        data: its ONNX file.
        pool: whose threads wait for it.
        limits: what its process may take.

    Attributes:
        busy: whether it is being asked or loaded; then it misses what is asked meanwhile.
        failures: how often in a row it failed.
        why: what it failed with.
    """

    def __init__(
        self, model: str, data: bytes, pool: concurrent.futures.Executor, limits: CageLimits
    ):
        self.model, self._data, self._pool, self._limits = model, data, pool, limits
        self._cage: Cage | None = None
        self._description: Description | None = None
        self.busy, self.closed = False, False
        self.failures, self.why = 0, ""
        self._about: tuple[Strokes | None, int] = (None, 0)

    @property
    def ready(self) -> bool:
        """Whether it can be asked now."""
        return self._cage is not None and not self.busy

    @property
    def loaded(self) -> bool:
        """Whether its process runs."""
        return self._cage is not None

    @property
    def pid(self) -> int | None:
        """Of its process."""
        return self._cage.pid if self._cage else None

    @property
    def way(self) -> Hashable:
        """What decides the arrays that a drawing becomes."""
        return self._description.way if self._description else ()

    def times_answered(self, drawing: Strokes) -> int:
        """Return how often it has answered to a drawing; a changed one is another object."""
        return self._about[1] if self._about[0] is drawing else 0

    def note_answered(self, drawing: Strokes) -> None:
        """Count an answer to a drawing."""
        self._about = (drawing, self.times_answered(drawing) + 1)

    def arrays(self, strokes: Strokes) -> dict[str, np.ndarray]:
        """Return what a drawing is for it, by input `[1, …]`: a batch of one."""
        assert self._description is not None
        return {name: array[None] for name, array in self._description.arrays(strokes).items()}

    async def load(self) -> bool:
        """Start its process; return whether that went well."""
        self.busy = True
        try:
            await asyncio.get_running_loop().run_in_executor(self._pool, self._load)
        except QuickdrawError as error:
            self._failed(error)
        finally:
            self.busy = False
        return self._cage is not None

    async def answer(
        self, arrays: dict[str, np.ndarray], words: Sequence[str], word: str
    ) -> Answer | None:
        """Return what it guesses, among the words that all models know; None where it fails.

        Args:
            arrays: a batch of one.
            words: that all models know.
            word: that is drawn.
        """
        cage, description = self._cage, self._description
        assert cage is not None and description is not None
        self.busy = True
        ask = asyncio.get_running_loop().run_in_executor
        labels = description.labels
        try:
            rows = await ask(self._pool, cage.ask, arrays, len(labels), ANSWER_SECONDS)
        except QuickdrawError as error:
            self._failed(error)
            return None
        finally:
            self.busy = False
        self.failures = 0
        return among(rows[0], labels, words, word)

    def close(self) -> None:
        """End its process, for good."""
        self.closed = True
        if self._cage is not None:
            self._cage.close()
            self._cage = None

    def _load(self) -> None:
        cage = Cage(self._data, self._limits)
        try:
            self._description = checking.described(cage.facts)
        except QuickdrawError:
            cage.close()
            raise
        if self.closed:
            cage.close()
        else:
            self._cage = cage

    def _failed(self, error: QuickdrawError) -> None:
        self.failures += 1
        self.why = str(error)
        if self._cage is not None and not self._cage.alive:
            self._cage.close()
            self._cage = None


def among(row: np.ndarray, labels: Sequence[str], words: Sequence[str], word: str) -> Answer:
    """Return an answer: the probabilities, given that it is one of some words.

    A model of 345 classes is asked what one of ten is asked.

    Args:
        row: float32 `[classes]`.
        labels: of the classes.
        words: that may be; each is a label.
        word: that is drawn.

    Returns:
        `top`, the likeliest three with their probabilities, and `p` of the word.
    """
    places = {label: place for place, label in enumerate(labels)}
    shares = np.clip(row[[places[each] for each in words]].astype(float), 0, None)
    mass = shares.sum()
    shares = shares / mass if mass > _LEAST_MASS else np.full(len(words), 1 / len(words))
    order = np.argsort(-shares, kind="stable")[:_SHOWN]
    top = [(words[place], round(float(shares[place]), 6)) for place in order]
    return {"top": top, "p": round(float(shares[list(words).index(word)]), 6)}
