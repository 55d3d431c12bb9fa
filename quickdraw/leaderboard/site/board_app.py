"""The ASGI application: pages and API behind their middleware, and error responses."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from quickdraw import __version__
from quickdraw.errors import QuickdrawError
from quickdraw.leaderboard.site import api, board_pages, organiser_pages, showing, team_pages
from quickdraw.leaderboard.site.context import Context
from quickdraw.leaderboard.site.site_guards import Guards
from quickdraw.leaderboard.store.entry_table import LimitError

_STATIC = Path(__file__).parent / "static"
_KEEP = {"cache-control": "public, max-age=300"}


def make_app(context: Context) -> FastAPI:
    """Return the ASGI application of a competition; it scores entries while it runs."""

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        context.start()
        yield
        context.scorer.stop()

    app = FastAPI(
        title="quickdraw.leaderboard",
        version=__version__,
        lifespan=lifespan,
        docs_url=None,  # FastAPI's page loads scripts from another server; /api is our own
        redoc_url=None,
    )
    app.state.context = context
    for part in (api, board_pages, team_pages, organiser_pages):
        app.include_router(part.router)
    app.add_api_route("/static/style.css", _style, include_in_schema=False)
    app.add_api_route("/static/board.js", _script, include_in_schema=False)
    for path in ("/static/icon.svg", "/favicon.ico"):
        app.add_api_route(path, _icon, include_in_schema=False)
    app.add_api_route("/healthz", lambda: {"ok": True}, include_in_schema=False)
    app.exception_handler(QuickdrawError)(_mistake)
    app.exception_handler(RequestValidationError)(_malformed)
    app.exception_handler(HTTPException)(_refusal)
    app.add_middleware(
        Guards,
        size_limit=context.limits.size,
        https=context.https,
        proxies=context.limits.proxies,
    )
    return app


def _style() -> Response:
    text = showing.STYLE.read_text(encoding="utf-8")
    own = (_STATIC / "board.css").read_text(encoding="utf-8")
    return Response(text + own, media_type="text/css", headers=_KEEP)


def _script() -> Response:
    text = (_STATIC / "board.js").read_text(encoding="utf-8")
    return Response(text, media_type="text/javascript", headers=_KEEP)


def _icon() -> Response:
    text = (_STATIC / "icon.svg").read_text(encoding="utf-8")
    return Response(text, media_type="image/svg+xml", headers=_KEEP)


def _answer(request: Request, status: int, text: str) -> Response:
    if request.url.path.startswith("/api/"):
        return JSONResponse({"error": text}, status)
    return showing.message(request, status, text)


def _mistake(request: Request, error: Exception) -> Response:
    return _answer(request, 429 if isinstance(error, LimitError) else 400, str(error))


def _malformed(request: Request, error: RequestValidationError) -> Response:
    where = ", ".join(str(each["loc"][-1])[:40] for each in error.errors()[:5])
    return _answer(request, 422, f"the request is malformed: {where}")


_REFUSALS = {
    401: "this page is for teams: open the link that the organiser gave you",
    403: "this form is too old or came from another page: go back and try again",
    404: "there is no such page",
    405: "there is no such page",
}


def _refusal(request: Request, error: HTTPException) -> Response:
    usual = error.status_code in _REFUSALS and not request.url.path.startswith("/api/")
    text = _REFUSALS[error.status_code] if usual else str(error.detail)
    return _answer(request, error.status_code, text)
