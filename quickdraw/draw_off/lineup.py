"""All models that take part: started, asked about one drawing at once, dropped."""

from __future__ import annotations

import asyncio
import concurrent.futures
import dataclasses
import os
from collections.abc import Callable, Coroutine, Hashable, Iterable

import numpy as np

from quickdraw.draw_off import desk
from quickdraw.draw_off.contest import Contest, EnteredModel
from quickdraw.draw_off.entrants import ANSWER_SECONDS, MOST_FAILURES, Entrant
from quickdraw.draw_off.rules import Answer
from quickdraw.drawings import Strokes
from quickdraw.sandbox.cage import CageLimits
from quickdraw.serving import asking

_AT_ONCE = 4  # are started at once
_TWICE = 2


@dataclasses.dataclass(frozen=True)
class _Moment:
    """What all are asked about."""

    number: int
    word: str
    words: list[str]
    drawing: Strokes
    at: int


class Lineup:
    """The models that take part.

    Args:
        folder: of their files.
        limits: of each process.
        out: called with the id of a model that is out, and the reason.
        begun: called when a model was loaded.

    Attributes:
        entrants: by id.
    """

    def __init__(
        self,
        folder: str,
        limits: CageLimits,
        out: Callable[[str, str], None],
        begun: Callable[[], None],
    ):
        self._folder, self._limits, self._out, self._begun = folder, limits, out, begun
        self.entrants: dict[str, Entrant] = {}
        self._pool = concurrent.futures.ThreadPoolExecutor(desk.MOST_MODELS + _AT_ONCE)
        self._begin = asyncio.Semaphore(_AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()
        self._asking: set[asyncio.Task[None]] = set()
        self._came: list[tuple[int, int, str, Answer]] = []

    def load(self, models: Iterable[EnteredModel]) -> None:
        """Start loading models, except those that run already."""
        for each in models:
            if each.model in self.entrants:
                continue
            try:
                with open(os.path.join(self._folder, each.file), "rb") as file:
                    data = file.read()
            except OSError as error:
                self._out(each.model, f"{each.file}: {error.strerror}")
                continue
            entrant = Entrant(each.model, data, self._pool, self._limits)
            self.entrants[each.model] = entrant
            self._spawn(self._load(entrant), self._tasks)

    def ask(self, contest: Contest, at: int, once_more: bool = False) -> list[asyncio.Task[None]]:
        """Ask all idle models about the current drawing.

        Args:
            contest: with a current round.
            at: the time in the round, in milliseconds.
            once_more: also ask models that answered this drawing twice; a third answer would be
                the same, and is only needed at the end.

        Returns:
            Tasks that end with the answers; none for an empty drawing.
        """
        now, drawing = contest.now, contest.drawing
        wanted = [
            each
            for each in self.entrants.values()
            if each.ready and (once_more or each.times_answered(drawing) < _TWICE)
        ]
        if now is None or not drawing or not wanted:
            return []
        try:
            strokes = asking.checked(drawing, True)
        except asking.BadRequestError:
            return []
        moment = _Moment(now.number, now.word, contest.words, drawing, at)
        arrays: dict[Hashable, dict[str, np.ndarray]] = {}
        tasks = []
        for entrant in wanted:
            if entrant.way not in arrays:
                arrays[entrant.way] = entrant.arrays(strokes)
            job = self._ask(entrant, arrays[entrant.way], moment)
            tasks.append(self._spawn(job, self._asking))
        return tasks

    def answers(self) -> list[tuple[int, int, dict[str, Answer]]]:
        """Remove and return the answers: round, time in milliseconds, and answers by model."""
        came, self._came = self._came, []
        together: dict[tuple[int, int], dict[str, Answer]] = {}
        for number, at, model, answer in came:
            together.setdefault((number, at), {})[model] = answer
        return [(*key, together[key]) for key in sorted(together)]

    async def all_answered(self) -> None:
        """Wait until all asked models have answered or timed out."""
        if self._asking:
            await asyncio.wait(self._asking, timeout=ANSWER_SECONDS + 0.5)

    def close(self) -> None:
        """Stop all processes."""
        for entrant in self.entrants.values():
            entrant.close()
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _load(self, entrant: Entrant) -> None:
        async with self._begin:
            while not entrant.closed and entrant.failures < MOST_FAILURES:
                if await entrant.load():
                    self._begun()
                    return
        if not entrant.closed:
            self._give_up(entrant)

    async def _ask(self, entrant: Entrant, arrays: dict[str, np.ndarray], moment: _Moment) -> None:
        answer = await entrant.answer(arrays, moment.words, moment.word)
        if answer is not None:
            entrant.note_answered(moment.drawing)
            self._came.append((moment.number, moment.at, entrant.model, answer))
        elif not entrant.closed:
            if entrant.failures >= MOST_FAILURES:
                self._give_up(entrant)
            elif not entrant.loaded:
                self._spawn(self._load(entrant), self._tasks)

    def _give_up(self, entrant: Entrant) -> None:
        entrant.close()
        self._out(entrant.model, entrant.why)

    def _spawn(
        self, job: Coroutine[object, None, None], among: set[asyncio.Task[None]]
    ) -> asyncio.Task[None]:
        task = asyncio.ensure_future(job)
        among.add(task)
        task.add_done_callback(among.discard)
        return task
