"""Routes that store drawings, and delete them."""

from __future__ import annotations

import json

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from quickdraw.drawings import drawing as one_drawing
from quickdraw.drawings.drawing import SkippedDrawing
from quickdraw.serving import asking, collecting, examples
from quickdraw.serving.answering import Service, body_of, problem, refuse_other_pages
from quickdraw.serving.asking import BadRequestError
from quickdraw.serving.collecting import Collector, NotKeptError, checked_session

_LATER = {"Retry-After": "60"}


def routes(service: Service) -> APIRouter:
    """Return the routes."""
    router = APIRouter()
    collector = service.collector

    @router.post("/api/drawings", openapi_extra=examples.KEEP, summary="Keep a drawing")
    async def keep(request: Request) -> Response:
        """Store a finished drawing with its word, for training, if the visitor agreed."""
        here = _collector(collector, request)
        line, session = _line(await body_of(request, asking.MOST_BYTES), service.models.labels)
        try:
            await here.in_order(here.drawing, session, line)
        except NotKeptError as error:
            return problem(429, str(error), _LATER)
        return JSONResponse({"kept": True})

    @router.delete("/api/drawings/{session}", summary="Delete all drawings of a session")
    async def forget(session: str, request: Request) -> Response:
        """Delete all data of a session, and store no more of it."""
        here = _collector(collector, request)
        await here.in_order(here.forget, session)
        return JSONResponse({"kept": False})

    return router


def _collector(collector: Collector | None, request: Request) -> Collector:
    if collector is None:
        raise HTTPException(404, "this server keeps no drawings: see --collect")
    refuse_other_pages(request)
    return collector


def _line(data: bytes, labels: frozenset[str]) -> tuple[str, str]:
    """Return a drawing as a line of Quick, Draw!'s raw format, and its session."""
    try:
        content = json.loads(data)
        given = content["strokes"]
        session, number, word = (content[name] for name in ("session", "drawing", "word"))
        one_drawing.checked(given)
        strokes = [[[float(value) for value in axis] for axis in stroke] for stroke in given]
        json.dumps(strokes, allow_nan=False)  # of strokes, some with times, nobody looks at those
    except SkippedDrawing as error:
        raise BadRequestError(f"drawing: {error}") from None
    except (ValueError, TypeError, LookupError, RecursionError, OverflowError):
        raise BadRequestError(
            'JSON expected: {"session": …, "drawing": 0, "word": "cat", "strokes": [[[x, …], '
            "[y, …], [ms, …]], …]}"
        ) from None
    if not isinstance(word, str) or word not in labels:
        raise BadRequestError(f"word: one that a model knows expected. Received: {word!r:.80}")
    key = int(checked_session(session)[:8], 16) << 31 | asking.whole(number, "drawing") % (1 << 31)
    line = {
        "key_id": str(key),
        "word": word,
        "countrycode": "",
        "timestamp": collecting.now(),
        "drawing": strokes,
    }
    return json.dumps(line, ensure_ascii=False, allow_nan=False), session
