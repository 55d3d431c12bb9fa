"""The ASGI application: pages, their WebSocket, results, and the upload of models."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable, Sequence

from fastapi import FastAPI, Request, Response, WebSocket
from fastapi.responses import JSONResponse, PlainTextResponse
from starlette.exceptions import HTTPException
from starlette.middleware.base import RequestResponseEndpoint

from quickdraw.draw_off import contest_pages, invitation, results_files
from quickdraw.draw_off.audience import Audience
from quickdraw.draw_off.contest import Contest
from quickdraw.draw_off.director import Director
from quickdraw.draw_off.intake import Intake
from quickdraw.errors import QuickdrawError
from quickdraw.leaderboard.site import phrases
from quickdraw.pages import drawing_page
from quickdraw.serving.guards import Hosts, is_same_origin


class ContestServer:
    """The state that routes share.

    Args:
        director: of the contest.
        folder: of the contest.
        hosts: the host names that the server accepts.
        public_url: its public address; may be empty.
        address: the host and port that it listens on.
        runs: a folder, local or gs://, whose runs the organiser may add; None: no runs.
    """

    def __init__(
        self,
        director: Director,
        folder: str,
        hosts: Hosts,
        public_url: str,
        address: tuple[str, int],
        runs: str | None = None,
    ):
        self.director, self.hosts = director, hosts
        self.intake = Intake(director, folder, runs)
        self._public_url, self._address = public_url, address
        self.audience = Audience(director, self.invite)

    def invite(self, host: str) -> dict[str, str]:
        """Return the links that contain the code, and the QR code of the one for players."""
        listens_on, port = self._address
        to_all = listens_on in ("0.0.0.0", "::")
        base = invitation.base_url(self._public_url, host, port, to_all)
        code = self.director.contest.code
        play = f"{base}/play#{code}"
        more = {"screen": f"{base}/#{code}", "hand_in": f"{base}/hand_in#{code}"}
        more["results"] = f"{base}/results"
        return {"url": play, "svg": invitation.qr_code(play), **more}


def make_contest_app(server: ContestServer) -> FastAPI:
    """Create the application."""

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        work = asyncio.create_task(server.director.work())
        yield
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)

    app = FastAPI(title="quickdraw.draw_off", lifespan=lifespan, openapi_url=None)
    app.include_router(contest_pages.routes(server.director))
    _add_guards(app, server.hosts)
    _add_live(app, server)
    _add_results(app, server.director)
    return app


def _add_guards(app: FastAPI, hosts: Hosts) -> None:
    headers = {**drawing_page.headers(), "Cache-Control": "no-store"}

    @app.middleware("http")
    async def guard(request: Request, go_on: RequestResponseEndpoint) -> Response:
        if hosts.allows(request.headers.get("host")):
            response = await go_on(request)
        else:
            response = PlainTextResponse("this server has another name: see --hosts", 421)
        response.headers.update(headers)
        return response

    @app.exception_handler(HTTPException)
    async def failed(request: Request, error: HTTPException) -> Response:
        return _told(request, str(error.detail), error.status_code)

    @app.exception_handler(QuickdrawError)
    async def refused(request: Request, error: QuickdrawError) -> Response:
        return _told(request, str(error), 400)


def _told(request: Request, error: str, status: int) -> Response:
    told = phrases.translate_error(contest_pages.language(request), error)
    return JSONResponse({"error": told}, status)


def _add_live(app: FastAPI, server: ContestServer) -> None:
    @app.websocket("/ws")
    async def live(socket: WebSocket) -> None:
        host, origin = (socket.headers.get(name) for name in ("host", "origin"))
        if not server.hosts.allows(host) or not is_same_origin(origin, host):
            await socket.close(1008)  # closed before it is accepted: HTTP 403
        elif not server.audience.admits(socket.client.host if socket.client else ""):
            await socket.accept()
            await socket.close(1013, "too many people are here")
        else:
            await server.audience.serve(socket)

    @app.post("/api/models")
    async def hand_in(request: Request) -> Response:
        return JSONResponse(await server.intake.hand_in(request))

    @app.get("/api/runs")
    async def runs(request: Request) -> Response:
        return JSONResponse(await server.intake.runs(request))

    @app.post("/api/runs")
    async def add_run(request: Request) -> Response:
        return JSONResponse(await server.intake.add_run(request))

    @app.get("/healthz")
    async def health() -> Response:
        return JSONResponse({"status": "ok", "phase": server.director.contest.phase})


def _add_results(app: FastAPI, director: Director) -> None:
    tables: dict[str, tuple[Sequence[str], Callable[[Contest], Iterable[Sequence[object]]]]] = {
        "standings": (results_files.PLACES, results_files.places),
        "rounds": (results_files.ROUNDS, results_files.by_round),
    }

    @app.get("/results/{name}.csv")
    async def table(name: str) -> Response:
        if name not in tables:
            raise HTTPException(404, "no such table")
        head, rows = tables[name]
        headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
        text = results_files.as_csv(head, rows(director.contest))
        return Response(text, media_type="text/csv; charset=utf-8", headers=headers)
