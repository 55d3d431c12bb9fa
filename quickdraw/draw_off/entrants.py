"""The models that take part, each in its process: loaded, asked, restarted after failures."""

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
        pool: the threads that wait for its process.
        limits: of its process.

    Attributes:
        busy: whether it is loading or answering; it skips drawings meanwhile.
        failures: the number of failures in a row.
        why: the latest error.
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
        """Whether it is loaded and idle."""
        return self._cage is not None and not self.busy

    @property
    def loaded(self) -> bool:
        """Whether its process runs."""
        return self._cage is not None

    @property
    def pid(self) -> int | None:
        """The id of its process."""
        return self._cage.pid if self._cage else None

    @property
    def way(self) -> Hashable:
        """A key of the input format, see `Recogniser.way`."""
        return self._description.way if self._description else ()

    def times_answered(self, drawing: Strokes) -> int:
        """Return how often it answered this drawing; a changed drawing is another object."""
        return self._about[1] if self._about[0] is drawing else 0

    def note_answered(self, drawing: Strokes) -> None:
        """Count an answer to this drawing."""
        self._about = (drawing, self.times_answered(drawing) + 1)

    def arrays(self, strokes: Strokes) -> dict[str, np.ndarray]:
        """Return a drawing as inputs of the model, `[1, …]` by name: a batch of one."""
        assert self._description is not None
        return {name: array[None] for name, array in self._description.arrays(strokes).items()}

    async def load(self) -> bool:
        """Start its process; return whether it succeeded."""
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
        """Return its guesses among the words that all models know; None if it fails.

        Args:
            arrays: a batch of one.
            words: that all models know.
            word: the word to draw.
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
        """Stop its process for good."""
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
    """Return an answer: the probabilities renormalised over some words.

    This makes a model of 345 classes comparable with one of ten.

    Args:
        row: float32 `[classes]`.
        labels: of the classes.
        words: the possible words; each is a label.
        word: the word to draw.

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
