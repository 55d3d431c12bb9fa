"""Routes for guesses: HTTP, a WebSocket for live guesses, metrics and health."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response, WebSocket
from fastapi.responses import JSONResponse, PlainTextResponse

from quickdraw.errors import QuickdrawError
from quickdraw.serving import counters, examples
from quickdraw.serving.answering import Service, question_of, refuse_other_pages
from quickdraw.serving.batching import BusyError
from quickdraw.serving.guards import is_same_origin
from quickdraw.serving.live import LiveGuesses

MOST_SOCKETS = 1000


def routes(service: Service) -> APIRouter:
    """Return the routes."""
    router = APIRouter()

    @router.post("/api/guess", openapi_extra=examples.GUESS, summary="Guess a drawing")
    async def guess(request: Request) -> Response:
        """Guess strokes, `{"drawing": …}` as in Quick, Draw!'s files, or a picture."""
        try:
            async with question_of(service, request) as question:
                if question.keep is not None:
                    refuse_other_pages(request)
                answer = await service.answer(question)
        except BusyError:
            service.counters.answered("http", "busy")
            raise
        except QuickdrawError:
            service.counters.answered("http", "bad")
            raise
        service.counters.answered("http", "ok", answer["milliseconds"] / 1e3)
        guesses = {
            name: [{"label": label, "probability": share} for label, share in top]
            for name, top in answer["models"].items()
        }
        return JSONResponse({**answer, "models": guesses})

    @router.get("/healthz", summary="Whether the server answers")
    async def health() -> Response:
        return JSONResponse({"status": "ok", "models": len(service.models.all)})

    @router.get("/metrics", summary="Counts, as Prometheus reads them")
    async def metrics() -> Response:
        text = service.counters.text(service.batcher.waiting)
        return PlainTextResponse(text, media_type=counters.MEDIA_TYPE)

    @router.websocket("/ws")
    async def live(socket: WebSocket) -> None:
        host, origin = (socket.headers.get(name) for name in ("host", "origin"))
        if not service.hosts.allows(host) or not is_same_origin(origin, host):
            await socket.close(1008)  # closed before it is accepted: HTTP 403
        elif service.counters.sockets >= MOST_SOCKETS:
            await socket.accept()
            await socket.close(1013, "too many people draw here: try again later")
        else:
            await LiveGuesses(socket, service.answer, service.counters).run()

    return router
