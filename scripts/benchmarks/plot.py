"""A chart with logarithmic axes, as SVG that reads in light and in dark."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

WIDTH, HEIGHT = 640, 400
LEFT, RIGHT, TOP, BOTTOM = 70, 160, 16, 46
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")  # Okabe and Ito
_STYLE = (
    "text{font:12px sans-serif;fill:#222}line{stroke:#bbb}rect{fill:#fff}"
    "@media(prefers-color-scheme:dark){text{fill:#ddd}line{stroke:#555}rect{fill:#111}}"
)


def log_log(lines: Mapping[str, Sequence[tuple[float, float]]], x_title: str, y_title: str) -> str:
    """Draw lines of (x, y), all above 0."""
    x_range = _decades([x for points in lines.values() for x, _ in points])
    y_range = _decades([y for points in lines.values() for _, y in points])

    def place(x: float, y: float) -> tuple[float, float]:
        return (
            LEFT + (WIDTH - LEFT - RIGHT) * _share(x, x_range),
            TOP + (HEIGHT - TOP - BOTTOM) * (1 - _share(y, y_range)),
        )

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
        f"<title>{escape(y_title)} by {escape(x_title)}</title><style>{_STYLE}</style>",
        f'<rect width="{WIDTH}" height="{HEIGHT}"/>',
    ]
    for power in range(x_range[0], x_range[1] + 1):
        (x, low), (_, high) = place(10**power, 10 ** y_range[0]), place(10**power, 10 ** y_range[1])
        parts.append(f'<line x1="{x:.1f}" y1="{low}" x2="{x:.1f}" y2="{high}"/>')
        parts.append(_text(x, low + 18, f"{10**power:,}", "middle"))
    for power in range(y_range[0], y_range[1] + 1):
        (left, y), (right, _) = (
            place(10 ** x_range[0], 10**power),
            place(10 ** x_range[1], 10**power),
        )
        parts.append(f'<line x1="{left}" y1="{y:.1f}" x2="{right}" y2="{y:.1f}"/>')
        parts.append(_text(left - 8, y + 4, f"{10**power:,}", "end"))
    parts.append(_text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, x_title, "middle"))
    parts.append(_text(WIDTH - RIGHT + 24, TOP + 6, y_title, "start"))
    for number, (name, points) in enumerate(lines.items()):
        colour, places = COLOURS[number % len(COLOURS)], [place(*point) for point in points]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in places]
        at = TOP + 30 + 20 * number
        parts.append(
            f'<circle cx="{WIDTH - RIGHT + 28}" cy="{at - 4}" r="5" fill="{colour}"/>'
            + _text(WIDTH - RIGHT + 40, at, name, "start")
        )
    return "\n".join([*parts, "</svg>\n"])


def _text(x: float, y: float, words: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'


def _decades(values: list[float]) -> tuple[int, int]:
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    return low, max(high, low + 1)


def _share(value: float, decades: tuple[int, int]) -> float:
    return (math.log10(value) - decades[0]) / (decades[1] - decades[0])
