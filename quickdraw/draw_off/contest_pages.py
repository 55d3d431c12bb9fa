"""The pages: big screen, phone, organiser's desk, upload of models, results."""

from __future__ import annotations

import functools
import json
from pathlib import Path

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse
from markupsafe import Markup
from starlette.exceptions import HTTPException

from quickdraw.draw_off import results_files
from quickdraw.draw_off.director import Director
from quickdraw.leaderboard.site.phrases import language_of
from quickdraw.pages import class_words, drawing_page
from quickdraw.pages.render import render

_HERE = Path(__file__).parent
PAGES = {"/": "screen", "/play": "phone", "/organiser": "organiser", "/hand_in": "hand_in"}
_SCRIPTS = ("together", "screen", "phone", "organiser", "hand_in")


def routes(director: Director) -> APIRouter:
    """Return the routes of all pages."""
    router = APIRouter(include_in_schema=False)
    files = {"style.css": (style(), "text/css")}
    pen = drawing_page.scripts("by_server")["pen.js"]
    files["pen.js"] = (pen, "text/javascript")
    for name in _SCRIPTS:
        files[f"{name}.js"] = ((_HERE / f"{name}.js").read_text("utf-8"), "text/javascript")

    def add(path: str, name: str) -> None:
        @router.get(path)
        async def page(request: Request) -> Response:
            return HTMLResponse(html(name, language(request), director))

    for path, name in PAGES.items():
        add(path, name)

    @router.get("/results")
    async def results(request: Request) -> Response:
        contest = director.contest
        tables = {
            "places": results_files.places(contest),
            "rounds": results_files.by_round(contest),
            "is_over": contest.phase == "over",
        }
        return HTMLResponse(html("results", language(request), director, **tables))

    @router.get("/static/{name}")
    async def static(name: str) -> Response:
        if name not in files:
            raise HTTPException(404, "no such file")
        text, kind = files[name]
        return Response(text, media_type=f"{kind}; charset=utf-8")

    return router


def language(request: Request) -> str:
    """Return `ko` or `en`: from the query string, or else the browser's."""
    return language_of(request.query_params.get("lang"), request.headers.get("accept-language", ""))


def html(name: str, language: str, director: Director, **values: object) -> str:
    """Return a page."""
    texts = words(language)
    rules = vars(director.contest.rules)
    told = {key: text.format(**rules) for key, text in texts["rules"].items()}
    return render(
        _HERE / f"{name}.html.j2",
        name=name,
        language=language,
        others=[each for each in ("ko", "en") if each != language],
        w=texts["page"],
        rules=told,
        words=_data(texts["page"]),
        begun=director.contest.phase != "lobby",
        classes=_data(class_words.every_word().get(language, {})),
        named=functools.partial(class_words.named, language),
        **values,
    )


def _data(value: dict[str, str]) -> Markup:
    """Return JSON escaped so that it cannot end its script element."""
    return Markup(json.dumps(value, ensure_ascii=False).replace("<", "\\u003c"))


@functools.cache
def words(language: str) -> dict[str, dict[str, str]]:
    """Return the texts of the pages in a language: `page` by key, and the `rules` as a template."""
    return json.loads((_HERE / f"words.{language}.json").read_text(encoding="utf-8"))


def style() -> str:
    """Return the CSS of all pages, and of these."""
    sheets = (Path(drawing_page.__file__ or "").parent.parent / "style.css", _HERE / "contest.css")
    return "".join(path.read_text(encoding="utf-8") for path in sheets)
