"""Routes for what the page shows beside guesses: explanations, similar drawings, models."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from quickdraw.serving import examples
from quickdraw.serving.answering import Service, question_of
from quickdraw.serving.asking import BadRequestError
from quickdraw.serving.turns import Turns

MOST_WAITING = 8
"""The most explanations that may wait; more are refused."""


def routes(service: Service) -> APIRouter:
    """Return the routes."""
    router = APIRouter()
    # An explanation costs a hundred predictions: one at a time, with a short queue.
    reasons = Turns(1, MOST_WAITING)

    @router.post("/api/why", openapi_extra=examples.GUESS, summary="What a guess rests on")
    async def why(request: Request) -> Response:
        """Cover each part of the picture in turn; return how much the probability drops."""
        async with question_of(service, request) as question:
            strokes = question.strokes
        if strokes is None:
            raise BadRequestError("strokes expected. Received: a picture")
        models = service.models.named(question.models)
        async with reasons.turn():
            found = {m.name: await asyncio.to_thread(m.why, strokes) for m in models}
        return JSONResponse({"models": found})

    @router.get("/api/gallery", summary="A few drawings of each class, PNG in base64")
    async def gallery() -> Response:
        return JSONResponse(service.models.gallery())

    @router.get("/api/models", summary="The models, their classes, and what they take")
    async def described() -> Response:
        collects = service.collector is not None
        return JSONResponse({"models": service.models.described(), "collects": collects})

    return router
