"""Pages from templates: escaped, complete, and one file each."""

import jinja2
import pytest

from quickdraw.pages.render import render

EVIL = "<b>&\"'"


@pytest.fixture
def template(tmp_path):
    """A function that makes a template of the body of a page."""

    def make(body):
        path = tmp_path / "page.html.j2"
        text = '{% extends "base.html.j2" %}{% import "macros.html.j2" as macros %}'
        path.write_text(f"{text}{{% block body %}}{body}{{% endblock %}}")
        return path

    return make


def test_values_are_escaped_and_the_style_is_not(template):
    text = render(template('<p title="{{ title }}">{{ title }}</p>'), title=EVIL)
    assert EVIL not in text
    assert "<title>&lt;b&gt;&amp;&#34;&#39;</title>" in text
    assert '<p title="&lt;b&gt;&amp;&#34;&#39;">&lt;b&gt;' in text
    style = text.split("<style>")[1].split("</style>")[0]
    assert '"Segoe UI"' in style and "prefers-color-scheme: dark" in style


@pytest.mark.parametrize(
    "body",
    [
        "{{ macros.table([evil], [[evil]]) }}",
        "{% call macros.fold(evil) %}{{ evil }}{% endcall %}",
        "{{ macros.histogram({'title': evil, 'counts': [1], 'unit': evil, 'low': evil, "
        "'high': evil}) }}",
    ],
)
def test_macros_escape_too(template, body):
    text = render(template(body), title="", evil=EVIL)
    assert "<b>" not in text and "&lt;b&gt;&amp;&#34;" in text


def test_a_name_without_a_value_is_an_error(template):
    with pytest.raises(jinja2.UndefinedError, match="'tilte' is undefined"):
        render(template("{{ tilte }}"), title="")


def test_bars_are_as_high_as_their_share_of_the_highest(template):
    chart = {"title": "Ink", "counts": [5, 0, 10], "unit": "up to {} %", "low": 0, "high": 3}
    text = render(template("{{ macros.histogram(chart) }}"), title="", chart=chart)
    assert 'x="0" y="20.00" width=".86" height="20.00"><title>up to 1 %: 5</title>' in text
    assert 'x="2" y="0.00" width=".86" height="40.00"><title>up to 3 %: 10</title>' in text
    assert text.count("<rect") == 2


def test_bars_of_nothing(template):
    chart = {"title": "Ink", "counts": [0, 0], "unit": "{}", "low": 0, "high": 1}
    assert "<rect" not in render(template("{{ macros.histogram(chart) }}"), title="", chart=chart)
