"""The page in Chromium: large and small, light and dark, by mouse and keyboard, and axe-core."""

import pytest
from browsing import chromium

from quickdraw.report import document


@pytest.fixture(scope="module")
def path(tmp_path_factory, seen):
    path = tmp_path_factory.mktemp("page") / "report.html"
    document.write(seen, str(path))
    return path


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture(params=[(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")])
def page(request, browser, path):
    """The page, opened from disk; that it asks for nothing and says nothing is checked."""
    width, scheme = request.param
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    said, asked = [], []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(path.as_uri())
    yield page
    page.close()
    assert said == []
    assert [url for url in asked if not url.startswith("data:")] == [path.as_uri()]


def test_it_fits_and_passes_axe(page):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-core")
    width = page.viewport_size["width"]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
    found = axe.Axe().run(page).response["violations"]
    assert [(each["id"], each["nodes"][0]["html"][:200]) for each in found] == []


def test_a_cell_leads_to_its_drawings(page):
    cell = page.locator(".matrix a").first
    target = cell.get_attribute("href")
    assert not page.locator(target).is_visible()
    cell.focus()
    page.keyboard.press("Enter")
    assert page.locator(target).is_visible()
    assert page.locator(f"{target} img").evaluate("image => image.naturalWidth") > 10
    page.locator(f"{target} a").click()
    assert not page.locator(target).is_visible()


def test_tables_sort_by_keyboard(page):
    table = page.locator("table.sortable", has_text="precision").first
    button = table.locator("th button", has_text="recall")
    button.focus()
    page.keyboard.press("Enter")
    first = [
        float(each.split()[0]) for each in table.locator("tbody td:nth-child(3)").all_inner_texts()
    ]
    assert first == sorted(first, reverse=True)
    page.keyboard.press("Enter")
    again = [
        float(each.split()[0]) for each in table.locator("tbody td:nth-child(3)").all_inner_texts()
    ]
    assert again == sorted(again)
    assert table.locator("th[aria-sort=ascending]").count() == 1


def test_it_prints(browser, path):
    page = browser.new_page()
    page.goto(path.as_uri())
    assert page.pdf()[:4] == b"%PDF"
    page.close()
