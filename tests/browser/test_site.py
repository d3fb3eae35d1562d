"""The built website: language switch, search, interactive figures, formulas; and nothing fetched from elsewhere to read it."""

import re
from pathlib import Path

import pytest
from conftest import ROOT

LESSONS = sorted(path.stem for path in Path(ROOT, "notebooks", "en").glob("*.ipynb"))
LIVE = ["01_rnn_intro", "06_word_embeddings"]  # lessons with Plotly figures


@pytest.mark.parametrize("lesson", LESSONS)
def test_language_switch_stays_on_the_page(site, open_page, lesson):
    page = open_page(f"{site}/en/{lesson}.html")
    english = page.locator("article h1").first.inner_text()
    page.locator("a.language-switch").first.click()
    page.wait_for_url(f"{site}/ko/{lesson}.html")
    assert page.locator("html").get_attribute("lang") == "ko"
    korean = page.locator("article h1").first.inner_text()
    assert re.search("[가-힣]", korean) and english[:2] == korean[:2] == lesson[:2]
    page.locator("a.language-switch").first.click()
    page.wait_for_url(f"{site}/en/{lesson}.html")
    assert page.problems == []


@pytest.mark.parametrize(
    ("language", "word"), [("en", "gradient"), ("ko", "기울기"), ("ko", "임베딩")]
)
def test_search_finds_lessons(site, open_page, language, word):
    page = open_page(f"{site}/{language}/search.html?q={word}")
    page.wait_for_selector("#search-results ul.search li a", timeout=30_000)
    links = page.locator("#search-results ul.search li a").evaluate_all(
        "links => links.map(link => link.getAttribute('href'))"
    )
    assert any(re.match(r"(\.\./\w+/|\./)?0\d_", link) for link in links), links
    assert page.problems == []


@pytest.mark.parametrize("lesson", LIVE)
def test_plotly_figures_are_alive(site, open_page, lesson):
    language = "ko" if lesson[:2] == "01" else "en"
    page = open_page(f"{site}/{language}/{lesson}.html")
    boxes = page.locator(".plotly-figure")
    assert boxes.count() > 0
    page.wait_for_function(
        "[...document.querySelectorAll('.plotly-figure')].every(box => box.dataset.state === 'live')",
        timeout=60_000,
    )
    plot = boxes.locator(".js-plotly-plot").first
    plot.scroll_into_view_if_needed()
    page.wait_for_timeout(500)
    area = plot.bounding_box()
    look = """plot => {
        const { scene, xaxis } = plot._fullLayout;
        return JSON.stringify(scene ? scene._scene.getCamera() : xaxis.range);
    }"""
    before = plot.evaluate(look)
    page.mouse.move(area["x"] + 0.35 * area["width"], area["y"] + 0.4 * area["height"])
    page.mouse.down()
    page.mouse.move(area["x"] + 0.6 * area["width"], area["y"] + 0.6 * area["height"], steps=8)
    page.mouse.up()
    page.wait_for_timeout(800)
    assert plot.evaluate(look) != before, "dragging changed neither the range nor the camera"


@pytest.mark.parametrize("width", [1280, 390])
def test_a_page_fits_its_window(site, open_page, width):
    page = open_page(f"{site}/en/{LESSONS[0]}.html")
    page.set_viewport_size({"width": width, "height": 800})
    page.wait_for_timeout(500)
    assert page.evaluate("document.documentElement.scrollWidth") <= width + 1
