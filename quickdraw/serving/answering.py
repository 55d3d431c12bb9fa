"""What the routes of the server share: models, counters, and the format of errors."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import NotRequired, TypedDict

import numpy as np
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from quickdraw.serving import asking, collecting
from quickdraw.serving.asking import BadRequestError, Keep, Question
from quickdraw.serving.batching import Batcher
from quickdraw.serving.collecting import Collector, NotKeptError
from quickdraw.serving.counters import Counters
from quickdraw.serving.guards import Hosts
from quickdraw.serving.recogniser import Recogniser
from quickdraw.serving.served import ServedModels

RETRY = {"Retry-After": "1"}
_TITLES = {400: "Bad request", 404: "Not found", 413: "Too large", 429: "Too many", 503: "Busy"}


class Guesses(TypedDict):
    """An answer: the likeliest classes of each model, as class numbers and probabilities.

    Attributes:
        models: by the models' names, the likeliest class first.
        milliseconds: the time in the queue and in the models.
        kept: whether the drawing was stored, if that was asked for.
    """

    models: dict[str, list[tuple[int, float]]]
    milliseconds: float
    kept: NotRequired[bool]


class Service:
    """The state that routes share.

    Args:
        models: the served models.
        hosts: the host names that the server accepts.
        collector: stores drawings of visitors who agree; None stores nothing.

    Attributes:
        background: coroutines that run until the server shuts down.
    """

    def __init__(self, models: ServedModels, hosts: Hosts, collector: Collector | None = None):
        self.models, self.hosts, self.collector = models, hosts, collector
        self.batcher, self.counters = Batcher(), Counters()
        self.background: list[Callable[[], Coroutine[object, None, None]]] = [self.batcher.work]

    async def answer(self, question: Question) -> Guesses:
        """Return the guesses of each model, in the format of the API.

        Raises:
            BadRequestError: no model of this name, or it takes no pictures.
            BusyError: the queue is full.
        """
        models = self.models.named(question.models)
        start = time.perf_counter()
        rows = await self.batcher.guess(question.prepare, models)
        seconds = time.perf_counter() - start
        guesses = {
            model.name: model.top(row, question.top_k)
            for model, row in zip(models, rows, strict=True)
        }
        answer: Guesses = {"models": guesses, "milliseconds": round(seconds * 1e3, 1)}
        if question.keep is not None:
            answer["kept"] = await self._kept(question, question.keep, models, rows, seconds)
        return answer

    async def _kept(
        self,
        question: Question,
        keep: Keep,
        models: Sequence[Recogniser],
        rows: Sequence[np.ndarray],
        seconds: float,
    ) -> bool:
        """Store a row with each model's first guess; return whether that succeeded."""
        if self.collector is None:
            return False
        if keep.word is not None and keep.word not in self.models.labels:
            raise BadRequestError(
                f"word: one that a model knows expected. Received: {keep.word!r:.80}"
            )
        time_ = collecting.now()
        made: list[list[object]] = []
        for model, row in zip(models, rows, strict=True):
            best = int(row.argmax())
            made.append(
                [
                    *(time_, keep.session, keep.drawing, keep.word or "", keep.seconds),
                    *(model.name, model.description.runs[0]["step"]),
                    *(model.description.labels[best], f"{row[best]:.6f}"),
                    *(model.rank(row, keep.word), f"{seconds * 1e3:.1f}", question.points),
                ]
            )
        try:
            await self.collector.in_order(self.collector.guesses, keep.session, made)
        except NotKeptError:
            return False
        return True


Routes = Callable[[Service], APIRouter]
"""A part of the server: makes its routes from the shared state; may add to `background`."""


def problem(status: int, detail: str, headers: dict[str, str] | None = None) -> JSONResponse:
    """Return an error response in the format of RFC 9457 (problem details)."""
    content = {"title": _TITLES.get(status, "Error"), "status": status, "detail": detail}
    return JSONResponse(content, status, headers, "application/problem+json")


async def body_of(request: Request, most: int) -> bytes:
    """Return the body of a request, up to the limit of size.

    Raises:
        HTTPException: it is larger (413).
    """
    data = bytearray()
    async for piece in request.stream():
        data += piece
        if len(data) > most:
            raise HTTPException(413, f"at most {most:,} bytes expected. Received: more")
    return bytes(data)


async def question_of(request: Request) -> Question:
    """Read a question: strokes in JSON, or a picture.

    Raises:
        BadRequestError: it is neither.
        HTTPException: it is too large (413).
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    is_picture = kind.startswith("image/") or kind == "application/octet-stream"
    data = await body_of(request, asking.MOST_PICTURE_BYTES if is_picture else asking.MOST_BYTES)
    if not data:
        raise BadRequestError('a drawing expected: {"drawing": [[[x, …], [y, …]], …]}')
    if is_picture:
        return await asyncio.to_thread(asking.of_picture, data, request.query_params)
    question, _ = await asyncio.to_thread(asking.of_json, data)
    return question
