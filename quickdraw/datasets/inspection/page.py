"""The HTML page of `inspect`: one file, no script, nothing from elsewhere."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import numpy as np

from quickdraw.datasets.inspection import pictures
from quickdraw.datasets.inspection.records import UNLABELLED
from quickdraw.datasets.inspection.stats import ClassStats, Drawing, lookalikes
from quickdraw.datasets.inspection.style import CSS

if TYPE_CHECKING:
    from quickdraw.datasets.inspection.report import Report

_FEW = 12  # classes whose sheets are open from the start
_SOME = 40  # classes whose counts are
_PAIRS = 12


def page(report: Report) -> str:
    """The page, as text; all that comes from the records is escaped."""
    title = escape(report.title)
    sections = [
        _wall(report),
        _counts(report),
        _distributions(report),
        _lookalikes(report),
        _sheets(report),
        _suspicious(report),
        _duplicates(report),
        _records(report),
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{CSS}</style>\n</head>\n<body>\n"
        + "\n".join([_head(report, "".join(sections)), *filter(None, sections)])
        + "\n</body>\n</html>\n"
    )


def _head(report: Report, below: str) -> str:
    classes = len(report.classes.keys() - {UNLABELLED})
    facts = [(report.total, "drawings"), (classes, "classes")]
    facts += [(count, split) for split, count in report.split_totals().items()]
    facts.append((report.records.bad, "bad records"))
    shown = "".join(f"<div><dt>{escape(n)}</dt><dd>{c:,}</dd></div>" for c, n in facts)
    findings = "".join(
        f"<li class={finding.level}>{escape(finding.text)}</li>" for finding in report.findings
    )
    links = " ".join(
        f'<a href="#{anchor}">{anchor}</a>'
        for anchor in ("counts", "ink", "lookalikes", "drawings", "suspicious", "records")
        if f"<h2 id={anchor}>" in below
    )
    return (
        f'<header><h1>{escape(report.title)}</h1><p class="soft">{escape(report.source)}</p>'
        f"<nav>{links}</nav><dl class=facts>{shown}</dl><ul class=findings>{findings}</ul></header>"
    )


def _wall(report: Report) -> str:
    """The mean drawing of each class; a link to the class."""
    size = "6rem" if len(report.classes) > _SOME else "9rem"
    tiles = "".join(
        f'<a href="#class{label}">{_mean(stats, "")}<span>{escape(report.name(label))}</span></a>'
        for label, stats in report.classes.items()
    )
    return (
        "<h2>The mean doodle</h2><p class=soft>All drawings of a class on top of each other: what "
        "is strong, everybody draws. Choose one to see its drawings.</p>"
        f'<div class=wall style="--tile:{size}">{tiles}</div>'
    )


def _counts(report: Report) -> str:
    splits = list(report.split_totals())
    most = max(stats.count for stats in report.classes.values())
    rows = "".join(
        f"<tr><td><div class=named>{_link(report, label)}<div class=bar>{_bar(counts, most)}</div>"
        f"</div></td>{''.join(f'<td>{count:,}</td>' for count in counts)}</tr>"
        for label, counts in report.table()
    )
    head = "".join(f"<th>{escape(split)}</th>" for split in splits)
    key = "".join(f"<i></i>{escape(split)}" for split in splits) if len(splits) > 1 else ""
    table = f"<div class=scroll><table><tr><th>class</th>{head}</tr>{rows}</table></div>"
    if len(report.classes) > _SOME:
        table = _fold("All classes", table)
    else:
        table = f"<div class=card>{table}</div>"
    return f"<h2 id=counts>Drawings per class</h2><p class='soft key'>{key}</p>{table}"


def _bar(counts: list[int], most: int) -> str:
    return "".join(f'<i style="width:{100 * count / most:.2f}%"></i>' for count in counts)


def _distributions(report: Report) -> str:
    classes = report.classes
    parts = zip(*map(_counts_of, classes.values()), strict=True)
    charts = pictures.charts(*(np.sum(counts, axis=0) for counts in parts))
    by_ink = sorted(classes, key=lambda label: classes[label].mean_ink)
    ends = ""
    if len(by_ink) > 1:
        low, high = (_link(report, label) for label in (by_ink[0], by_ink[-1]))
        ends = f"<p class=soft>Least ink: {low}. Most: {high}.</p>"
    cards = "".join(f"<div class=card>{chart}</div>" for chart in charts)
    return f"<h2 id=ink>Ink and size</h2>{ends}<div class=columns>{cards}</div>"


def _counts_of(stats: ClassStats) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return stats.ink, stats.wide, stats.high


def _lookalikes(report: Report) -> str:
    labels, alike = lookalikes(report.stats)
    if len(labels) < 2:
        return ""
    first, second = np.triu_indices(len(labels), 1)
    order = np.argsort(-alike[first, second], kind="stable")[:_PAIRS]
    pairs = "".join(
        _pair(report, labels[first[at]], labels[second[at]], alike[first[at], second[at]])
        for at in order
    )
    return (
        "<h2 id=lookalikes>Most alike</h2><p class=soft>The classes whose mean doodles correlate "
        f"best: what a model will confuse first.</p><div class=pairs>{pairs}</div>"
    )


def _pair(report: Report, first: int, second: int, alike: float) -> str:
    means = "".join(_mean(report.classes[label], "") for label in (first, second))
    names = "".join(f"<span>{_link(report, label)}</span>" for label in (first, second))
    return f'<div class="card pair">{means}{names}<b>correlation {alike:.2f}</b></div>'


def _sheets(report: Report) -> str:
    opened = " open" if len(report.classes) <= _FEW else ""
    cards = "".join(_card(report, label, stats, opened) for label, stats in report.classes.items())
    return (
        "<h2 id=drawings>Drawings</h2><p class=soft>Some of each class, taken at random; the same "
        f"ones in every run.</p><div class=classes>{cards}</div>"
    )


def _card(report: Report, label: int, stats: ClassStats, opened: str) -> str:
    name = escape(report.name(label))
    drawings = pictures.sheet([drawing.image for drawing in stats.samples.drawings()], 8)
    return (
        f"<details{opened}><summary>{_mean(stats, '')}<span>{name}</span>"
        f"<span class=soft>{stats.count:,}</span></summary>"
        f'<div class="inside class" id="class{label}">'
        f'<img alt="drawings of {name}" src="{drawings}"><div>'
        f"{''.join(pictures.charts(*_counts_of(stats)))}"
        f"</div></div></details>"
    )


def _suspicious(report: Report) -> str:
    groups = "".join(
        f"<h3>{title}: {count:,}</h3>"
        f"<p class=soft>{meaning}{f' {len(drawings)} of them:' * (len(drawings) < count)}</p>"
        f"<div class=drawings>{''.join(_figure(report, drawing) for drawing in drawings)}</div>"
        for title, meaning, count, drawings in report.suspicious()
        if count
    )
    text = groups or "<p>No drawing is empty, a single dot, or a scribble.</p>"
    return f"<h2 id=suspicious>Suspicious drawings</h2>{text}"


def _figure(report: Report, drawing: Drawing) -> str:
    where = f"{escape(report.file(drawing.file))}, record {drawing.number}"
    name = escape(report.name(drawing.label) if drawing.label != UNLABELLED else drawing.id)
    return (
        f'<figure><div><img alt="" src="{pictures.sheet([drawing.image], 1)}"></div>'
        f"<figcaption><b>{name}</b>{where}</figcaption></figure>"
    )


def _duplicates(report: Report) -> str:
    groups = report.duplicates.groups
    if not groups:
        return ""
    rows = "".join(
        "<tr><td class=text>"
        + "<br>".join(
            escape(f"{report.name(label)}: {report.file(file)}, record {number}")
            for label, file, number in group
        )
        + "</td></tr>"
        for group in groups
    )
    return (
        "<h2 id=duplicates>The same pixels more than once</h2><p class=soft>Where some of them "
        f"stand; those in several splits first.</p>"
        f"{_fold(f'{len(groups)} drawings', f'<table>{rows}</table>')}"
    )


def _records(report: Report) -> str:
    features = _table(
        ("feature", "kind", "records"),
        [
            (name, kind, f"{count:,}")
            for (name, kind), count in sorted(report.records.features.items())
        ],
    )
    sizes = _table(
        ("image size", "channels", "records"),
        [(f"{h} x {w}", f"{c}", f"{n:,}") for (h, w, c), n in report.records.sizes.most_common(20)],
    )
    bad = ""
    if report.records.first_bad:
        rows: list[tuple[str, ...]] = [
            (report.short(error.path), f"{error.number}", report.reason(error))
            for error in report.records.first_bad
        ]
        bad = f"<h3>Bad records: {report.records.bad:,}</h3>" + _fold(
            f"The first {len(rows)}", _table(("file", "record", "what is wrong"), rows)
        )
    return (
        f"<h2 id=records>Records</h2><div class=columns><div class=card>{features}</div>"
        f"<div class=card>{sizes}</div></div>{bad}"
        f"<footer>{len(report.records.files)} files: {escape(report.pattern)}</footer>"
    )


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    def line(cells: tuple[str, ...], tag: str) -> str:
        kinds = ["" if len(cell) < 24 else " class=text" for cell in cells]
        return "".join(
            f"<{tag}{kind}>{escape(cell)}</{tag}>" for cell, kind in zip(cells, kinds, strict=True)
        )

    body = "".join(f"<tr>{line(row, 'td')}</tr>" for row in rows)
    return f"<div class=scroll><table><tr>{line(head, 'th')}</tr>{body}</table></div>"


def _fold(title: str, content: str) -> str:
    return f"<details><summary>{escape(title)}</summary><div class=inside>{content}</div></details>"


def _mean(stats: ClassStats, alt: str) -> str:
    return f'<img class=mean alt="{alt}" src="{pictures.mean(stats.mean)}">'


def _link(report: Report, label: int) -> str:
    return f'<a href="#class{label}">{escape(report.name(label))}</a>'
