"""The documentation of the API: examples in OpenAPI, and a page without scripts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from quickdraw.pages.render import render

_STROKES = [[[0, 120, 255], [200, 0, 200]], [[60, 190], [110, 110]]]

GUESS: dict[str, object] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["drawing"],
                    "properties": {
                        "drawing": {
                            "type": "array",
                            "description": "strokes [[x, …], [y, …]] of 0…255, or raw ones of any "
                            "size with a third list of milliseconds",
                        },
                        "raw": {
                            "type": "boolean",
                            "description": "false for strokes with times that are simplified",
                        },
                        "top_k": {"type": "integer", "minimum": 1, "maximum": 1000, "default": 3},
                        "models": {"type": "array", "items": {"type": "string"}},
                    },
                },
                "example": {"drawing": _STROKES, "top_k": 3},
            },
            "image/png": {
                "schema": {"type": "string", "format": "binary"},
                "description": "a picture of any size, dark on light or light on dark",
            },
        },
    },
    "responses": {
        "200": {
            "description": "what each model guesses",
            "content": {
                "application/json": {
                    "example": {
                        "models": {"cnn": [{"label": "house", "probability": 0.93}]},
                        "milliseconds": 2.1,
                    }
                }
            },
        },
        "400": {"description": "what is wrong with the drawing (application/problem+json)"},
        "413": {"description": "too large"},
        "503": {"description": "busy: Retry-After says when to ask again"},
    },
}

KEEP: dict[str, object] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"type": "object"},
                "example": {
                    "session": "0123456789abcdef" * 2,
                    "drawing": 0,
                    "word": "house",
                    "strokes": [[[0, 120, 255], [200, 0, 200], [0, 200, 400]]],
                },
            }
        },
    },
    "responses": {
        "200": {"description": "it is kept"},
        "404": {"description": "this server keeps no drawings"},
        "429": {"description": "there is no room: Retry-After says when to ask again"},
    },
}


def page(description: dict[str, Any]) -> str:
    """Render an OpenAPI description as a page."""
    routes = []
    for path, methods in description["paths"].items():
        for method, what in methods.items():
            body = what.get("requestBody", {}).get("content", {}).get("application/json", {})
            routes.append(
                {
                    "head": f"{method.upper()} {path}",
                    "summary": what.get("summary", ""),
                    "example": json.dumps(body["example"]) if "example" in body else "",
                    "path": path,
                }
            )
    return render(Path(__file__).parent / "api.html.j2", title="quickdraw: API", routes=routes)
