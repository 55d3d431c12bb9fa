"""Pages rendered from templates in the reader's language."""

from __future__ import annotations

import functools
from pathlib import Path

from fastapi import Request
from starlette.responses import HTMLResponse

from quickdraw import pages
from quickdraw.leaderboard.site import phrases, visiting
from quickdraw.leaderboard.store import access, moments
from quickdraw.leaderboard.store.access import Visitor
from quickdraw.pages.render import render

_TEMPLATES = Path(__file__).parent / "templates"
STYLE = Path(pages.__file__ or "").parent / "style.css"


def page(
    request: Request, template: str, status: int = 200, /, lang: str = "", **values: object
) -> HTMLResponse:
    """Return a page.

    Args:
        request: the request that it answers.
        template: its name, without `.html.j2`.
        status: of HTTP.
        lang: `ko` or `en`; that of the browser where it is empty.
        values: the template's variables.
    """
    who, session = visiting.visitor(request), visiting.session_of(request)
    text = rendered(template, lang or visiting.language(request), session, who, **values)
    return HTMLResponse(text, status)


def rendered(
    template: str, language: str, session: str, who: Visitor | None, /, **values: object
) -> str:
    """Return the HTML of a page for a visitor, without links to what they may not see."""
    return render(
        _TEMPLATES / f"{template}.html.j2",
        language=language,
        who=who,
        _=functools.partial(phrases.translate, language),
        told=functools.partial(phrases.translate_error, language),
        csrf=access.csrf_token(session) if session else "",
        when=moments.text,
        percent=percent,
        **values,
    )


def percent(score: float | None, digits: int = 1) -> str:
    """Return a score of 1 as `90.3 %`."""
    return "" if score is None else f"{100 * score:.{digits}f} %"


def message(request: Request, status: int, text: str) -> HTMLResponse:
    """Return a page with one message."""
    return page(request, "message", status, text=text, status=status)
