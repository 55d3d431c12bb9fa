"""The ASGI application: its parts, middleware, and error responses."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import AsyncIterator, Sequence

from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException
from starlette.middleware.base import RequestResponseEndpoint

from quickdraw import __version__
from quickdraw.errors import QuickdrawError
from quickdraw.pages import drawing_page
from quickdraw.serving import beside_routes, collect_routes, guess_routes, page_routes
from quickdraw.serving.answering import RETRY, Routes, Service, problem
from quickdraw.serving.batching import BusyError
from quickdraw.serving.collecting import Collector
from quickdraw.serving.guards import Hosts
from quickdraw.serving.served import ServedModels

PARTS: tuple[Routes, ...] = (
    page_routes.routes,
    guess_routes.routes,
    beside_routes.routes,
    collect_routes.routes,
)


def make(
    models: ServedModels,
    hosts: Hosts,
    follow_seconds: float = 10.0,
    more: Sequence[Routes] = (),
    collector: Collector | None = None,
) -> FastAPI:
    """Make the application.

    Args:
        models: the served models.
        hosts: the host names that it accepts.
        follow_seconds: seconds between looks for better models.
        more: additional parts.
        collector: stores drawings of visitors who agree; None stores nothing.
    """
    service = Service(models, hosts, collector)
    service.background.append(functools.partial(models.follow, follow_seconds))
    app = FastAPI(
        title="quickdraw",
        version=__version__,
        lifespan=functools.partial(_lifespan, service),
        docs_url=None,
        redoc_url=None,
    )
    _add_guards(app, hosts)
    for part in (*more, *PARTS):
        app.include_router(part(service))
    return app


@contextlib.asynccontextmanager
async def _lifespan(service: Service, app: FastAPI) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(work()) for work in service.background]
    yield
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _add_guards(app: FastAPI, hosts: Hosts) -> None:
    headers = drawing_page.headers()

    @app.middleware("http")
    async def guard(request: Request, go_on: RequestResponseEndpoint) -> Response:
        if hosts.allows(request.headers.get("host")):
            response = await go_on(request)
        else:
            response = problem(421, "this server has another name: see --hosts")
        response.headers.update(headers)
        return response

    @app.exception_handler(HTTPException)
    async def failed(request: Request, error: HTTPException) -> Response:
        return problem(error.status_code, str(error.detail), dict(error.headers or {}))

    @app.exception_handler(QuickdrawError)
    async def refused(request: Request, error: QuickdrawError) -> Response:
        return problem(400, str(error))

    @app.exception_handler(BusyError)
    async def busy(request: Request, error: BusyError) -> Response:
        return problem(503, "too many drawings wait: ask again in a second", RETRY)
