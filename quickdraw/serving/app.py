"""The application: HTTP, a WebSocket, the page, and errors that say what was wrong."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from typing import Any

from fastapi import FastAPI, Request, Response, WebSocket
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse
from starlette.exceptions import HTTPException

from quickdraw import __version__
from quickdraw.errors import QuickdrawError
from quickdraw.pages import drawing_page
from quickdraw.serving import asking, counters, examples
from quickdraw.serving.asking import BadRequestError, Question
from quickdraw.serving.batching import Batcher, BusyError
from quickdraw.serving.counters import Counters
from quickdraw.serving.guards import Hosts, is_same_origin
from quickdraw.serving.live import LiveGuesses
from quickdraw.serving.served import ServedModels

MOST_SOCKETS = 1000
_RETRY = {"Retry-After": "1"}


class Service:
    """What the routes share.

    Args:
        models: who guesses.
    """

    def __init__(self, models: ServedModels):
        self.models, self.batcher, self.counters = models, Batcher(), Counters()

    async def answer(self, question: Question) -> dict[str, Any]:
        """Return what each model guesses, as the API says it.

        Raises:
            BadRequestError: a model of this name is not there, or takes no pictures.
            BusyError: too many wait.
        """
        models = self.models.named(question.models)
        start = time.perf_counter()
        rows = await self.batcher.guess(question.prepare, models)
        seconds = time.perf_counter() - start
        guesses = {
            model.name: model.top(row, question.top_k)
            for model, row in zip(models, rows, strict=True)
        }
        return {"models": guesses, "milliseconds": round(seconds * 1e3, 1)}


def make(models: ServedModels, hosts: Hosts, follow_seconds: float = 10.0) -> FastAPI:
    """Make the application.

    Args:
        models: who guesses.
        hosts: the names that it answers to.
        follow_seconds: how often to look for better models.
    """
    service = Service(models)

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        tasks = [
            asyncio.create_task(service.batcher.work()),
            asyncio.create_task(models.follow(follow_seconds)),
        ]
        yield
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    app = FastAPI(
        title="quickdraw", version=__version__, lifespan=lifespan, docs_url=None, redoc_url=None
    )
    _add_guards(app, hosts)
    _add_page(app, service)
    _add_api(app, service, hosts)
    _add_beside(app, service)
    return app


def problem(status: int, detail: str, headers: dict[str, str] | None = None) -> JSONResponse:
    """Return an error as RFC 9457 writes it."""
    titles = {400: "Bad request", 404: "Not found", 413: "Too large", 503: "Busy"}
    content = {"title": titles.get(status, "Error"), "status": status, "detail": detail}
    return JSONResponse(content, status, headers, "application/problem+json")


def _add_guards(app: FastAPI, hosts: Hosts) -> None:
    headers = drawing_page.headers()

    @app.middleware("http")
    async def guard(request: Request, go_on: Any) -> Response:
        if hosts.allows(request.headers.get("host")):
            response = await go_on(request)
        else:
            response = problem(421, "this server has another name: see --hosts")
        response.headers.update(headers)
        return response

    @app.exception_handler(HTTPException)
    async def failed(request: Request, error: HTTPException) -> Response:
        return problem(error.status_code, str(error.detail))

    @app.exception_handler(QuickdrawError)
    async def refused(request: Request, error: QuickdrawError) -> Response:
        return problem(400, str(error))


def _add_page(app: FastAPI, service: Service) -> None:
    texts = drawing_page.scripts("by_server")
    page = drawing_page.html({"models": []}, "by_server", inline=False)

    @app.get("/", include_in_schema=False)
    async def index() -> Response:
        return HTMLResponse(page)

    @app.get("/docs", include_in_schema=False)
    async def documentation() -> Response:
        return HTMLResponse(examples.page(app.openapi()))

    @app.get(f"/{drawing_page.STYLE}", include_in_schema=False)
    async def style() -> Response:
        return PlainTextResponse(drawing_page.style(), media_type="text/css")

    @app.get("/{name}.js", include_in_schema=False)
    async def script(name: str) -> Response:
        if f"{name}.js" not in texts:
            raise HTTPException(404, f"no script {name[:80]!r}")
        return PlainTextResponse(texts[f"{name}.js"], media_type="text/javascript")


def _add_api(app: FastAPI, service: Service, hosts: Hosts) -> None:
    @app.post("/api/guess", openapi_extra=examples.GUESS, summary="Guess a drawing")
    async def guess(request: Request) -> Response:
        """Guess strokes, `{"drawing": …}` as in Quick, Draw!'s files, or a picture."""
        try:
            question = await _question(request)
            answer = await service.answer(question)
        except BusyError:
            service.counters.answered("http", "busy")
            return problem(503, "too many drawings wait: ask again in a second", _RETRY)
        except QuickdrawError:
            service.counters.answered("http", "bad")
            raise
        service.counters.answered("http", "ok", answer["milliseconds"] / 1e3)
        names = {model.name: model.description.labels for model in service.models.all}
        answer["models"] = {
            name: [{"label": names[name][number], "probability": share} for number, share in top]
            for name, top in answer["models"].items()
        }
        return JSONResponse(answer)

    @app.get("/healthz", summary="Whether the server answers")
    async def health() -> Response:
        return JSONResponse({"status": "ok", "models": len(service.models.all)})

    @app.get("/metrics", summary="Counts, as Prometheus reads them")
    async def metrics() -> Response:
        text = service.counters.text(service.batcher.waiting)
        return PlainTextResponse(text, media_type=counters.MEDIA_TYPE)

    @app.websocket("/ws")
    async def live(socket: WebSocket) -> None:
        host, origin = (socket.headers.get(name) for name in ("host", "origin"))
        if not hosts.allows(host) or not is_same_origin(origin, host):
            await socket.close(1008)  # before it is accepted: HTTP 403
        elif service.counters.sockets >= MOST_SOCKETS:
            await socket.accept()
            await socket.close(1013, "too many people draw here: try again later")
        else:
            await LiveGuesses(socket, service.answer, service.counters).run()


def _add_beside(app: FastAPI, service: Service) -> None:
    """Add what the page shows beside the guesses."""

    @app.post("/api/why", openapi_extra=examples.GUESS, summary="What a guess rests on")
    async def why(request: Request) -> Response:
        """Cover each part of the picture, and return by how much the probability drops."""
        question = await _question(request)
        if question.strokes is None:
            raise BadRequestError("strokes expected. Received: a picture")
        models = service.models.named(question.models)
        found = {m.name: await asyncio.to_thread(m.why, question.strokes) for m in models}
        return JSONResponse({"models": found})

    @app.get("/api/gallery", summary="A few drawings of each class, PNG in base64")
    async def gallery() -> Response:
        return JSONResponse(service.models.gallery())

    @app.get("/api/models", summary="The models, their classes, and what they take")
    async def described() -> Response:
        return JSONResponse({"models": service.models.described()})


async def _question(request: Request) -> Question:
    """Read a request, no more of it than is allowed."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    is_picture = kind.startswith("image/") or kind == "application/octet-stream"
    most = asking.MOST_PICTURE_BYTES if is_picture else asking.MOST_BYTES
    data = bytearray()
    async for piece in request.stream():
        data += piece
        if len(data) > most:
            raise HTTPException(413, f"at most {most:,} bytes expected. Received: more")
    if not data:
        raise BadRequestError('a drawing expected: {"drawing": [[[x, …], [y, …]], …]}')
    if is_picture:
        return await asyncio.to_thread(asking.of_picture, bytes(data), request.query_params)
    question, _ = await asyncio.to_thread(asking.of_json, bytes(data))
    return question
