"""What the routes of the server share: models, counters, and the format of errors."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from typing import NotRequired, TypedDict

import numpy as np
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from quickdraw.serving import asking, collecting
from quickdraw.serving.asking import BadRequestError, Keep, Question
from quickdraw.serving.batching import Batcher
from quickdraw.serving.collecting import Collector, NotKeptError
from quickdraw.serving.counters import Counters
from quickdraw.serving.guards import Hosts, is_same_origin
from quickdraw.serving.recogniser import Recogniser
from quickdraw.serving.served import ServedModels
from quickdraw.serving.turns import Turns

RETRY = {"Retry-After": "1"}
_MOST_UPLOADS, _BODY_SECONDS = 16, 30.0
_TITLES = {
    400: "Bad request",
    403: "Forbidden",
    404: "Not found",
    408: "Too slow",
    413: "Too large",
    429: "Too many",
    503: "Busy",
}


class Guesses(TypedDict):
    """An answer: the likeliest classes of each model, with their probabilities.

    Attributes:
        models: by the models' names, the likeliest class first.
        milliseconds: the time in the queue and in the models.
        kept: whether the drawing was stored, if that was asked for.
    """

    models: dict[str, list[tuple[str, float]]]
    milliseconds: float
    kept: NotRequired[bool]


class Service:
    """The state that routes share.

    Args:
        models: the served models.
        hosts: the host names that the server accepts.
        collector: stores drawings of visitors who agree; None stores nothing.

    Attributes:
        uploads: the turns of pictures that are received.
        unpacking: the turns of those that are unpacked and answered.
        unpacker: the thread that unpacks them.
        background: coroutines that run until the server shuts down.
    """

    def __init__(self, models: ServedModels, hosts: Hosts, collector: Collector | None = None):
        self.models, self.hosts, self.collector = models, hosts, collector
        self.batcher, self.counters = Batcher(), Counters()
        # A picture is read whole, and unpacks to hundreds of megabytes: one after the other, and in
        # one thread, as what a thread has taken stays with it.
        self.uploads, self.unpacking = Turns(_MOST_UPLOADS, 0), Turns(1, _MOST_UPLOADS)
        self.unpacker = concurrent.futures.ThreadPoolExecutor(1)
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


def refuse_other_pages(request: Request) -> None:
    """Refuse what a page of another site sends, whose visitors did not agree to it.

    Raises:
        HTTPException: its origin is another one (403).
    """
    if not is_same_origin(request.headers.get("origin"), request.headers.get("host")):
        raise HTTPException(403, "a page of this server expected")


async def body_of(request: Request, most: int) -> bytes:
    """Return the body of a request, up to the limit of size.

    Raises:
        HTTPException: it is larger (413), does not end in time (408), or breaks off (400).
    """
    data = bytearray()
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            async for piece in request.stream():
                data += piece
                if len(data) > most:
                    raise HTTPException(413, f"at most {most:,} bytes expected. Received: more")
    except ClientDisconnect:  # nobody reads the answer, and the log is not filled
        raise HTTPException(400, "the body breaks off") from None
    except TimeoutError:
        raise HTTPException(408, f"a body within {_BODY_SECONDS:g} seconds expected") from None
    return bytes(data)


@contextlib.asynccontextmanager
async def question_of(service: Service, request: Request) -> AsyncIterator[Question]:
    """Read a question, strokes in JSON or a picture, to answer it inside.

    Raises:
        BadRequestError: it is neither.
        BusyError: too many pictures are being read.
        HTTPException: it is too large (413), or does not end in time (408).
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind.startswith("image/") or kind == "application/octet-stream":
        async with service.uploads.turn():
            data = _some(await body_of(request, asking.MOST_PICTURE_BYTES))
            async with service.unpacking.turn():
                of_picture, run = asking.of_picture, asyncio.get_running_loop().run_in_executor
                yield await run(service.unpacker, of_picture, data, request.query_params)
    else:
        data = _some(await body_of(request, asking.MOST_BYTES))
        question, _ = await asyncio.to_thread(asking.of_json, data)
        yield question


def _some(data: bytes) -> bytes:
    if not data:
        raise BadRequestError('a drawing expected: {"drawing": [[[x, …], [y, …]], …]}')
    return data
