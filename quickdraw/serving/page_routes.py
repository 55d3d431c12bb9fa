"""Routes of the page: HTML, style, scripts, and the documentation of the API."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, PlainTextResponse
from starlette.exceptions import HTTPException

from quickdraw.pages import drawing_page
from quickdraw.serving import examples
from quickdraw.serving.answering import Service


def routes(service: Service) -> APIRouter:
    """Return the routes."""
    router = APIRouter(include_in_schema=False)
    texts = drawing_page.scripts("by_server")
    page = drawing_page.html({"models": []}, "by_server", inline=False)

    @router.get("/")
    async def index() -> Response:
        return HTMLResponse(page)

    @router.get("/docs")
    async def documentation(request: Request) -> Response:
        return HTMLResponse(examples.page(request.app.openapi()))

    @router.get(f"/{drawing_page.STYLE}")
    async def style() -> Response:
        return PlainTextResponse(drawing_page.style(), media_type="text/css")

    @router.get("/{name}.js")
    async def script(name: str) -> Response:
        if f"{name}.js" not in texts:
            raise HTTPException(404, f"no script {name[:80]!r}")
        return PlainTextResponse(texts[f"{name}.js"], media_type="text/javascript")

    return router
