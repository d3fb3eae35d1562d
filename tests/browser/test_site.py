"""The built website in Chromium: languages, search, figures, formulas, folds, widths, weight; nothing comes from elsewhere."""

import re

import pytest
from conftest import BLOCKS
from course import LANGUAGES, lessons

LESSONS = list(lessons())
LIVE = [lesson for lesson in LESSONS if lesson[:2] in ("01", "06")]  # lessons with Plotly figures
PAGES = ["index", *LESSONS, "instructor-guide", "glossary"]


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
def test_plotly_comes_when_its_figure_comes_near_and_is_alive(site, open_page, lesson):
    language = "ko" if lesson[:2] == "01" else "en"
    page = open_page(f"{site}/{language}/{lesson}.html")
    boxes, loaded = page.locator(".plotly-figure"), "!!window.Plotly"
    assert boxes.count() > 0
    page.wait_for_timeout(1500)
    assert not page.evaluate(loaded), "a page that nobody has scrolled has loaded Plotly"
    assert boxes.first.locator("img").evaluate("image => image.getAttribute('alt').length") >= 20
    for number in range(boxes.count()):
        boxes.nth(number).scroll_into_view_if_needed()
        page.wait_for_function(
            "n => document.querySelectorAll('.plotly-figure')[n].dataset.state === 'live'",
            arg=number,
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


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_light_and_nothing_is_wider_than_its_column(site, open_page, language, name):
    sizes = {}
    page = open_page("about:blank")
    page.on("response", lambda answer: sizes.update({answer.url: len(answer.body())}))
    page.goto(f"{site}/{language}/{name}.html", wait_until="load")
    page.wait_for_timeout(1500)
    heavy = {url.rsplit("/", 1)[-1]: size for url, size in sizes.items() if size > 200_000}
    assert sum(sizes.values()) < 4_000_000, heavy
    assert page.evaluate(BLOCKS, [".bd-article", ""]) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 1281
    assert page.problems == []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", PAGES)
def test_text_and_figures_fit_on_a_telephone(site, open_page, language, name):
    """Code and tables may scroll, in their own boxes."""
    page = open_page(f"{site}/{language}/{name}.html", viewport={"width": 390, "height": 844})
    page.wait_for_timeout(500)
    assert page.evaluate("document.documentElement.scrollWidth") <= 391
    figures = page.locator(".bd-article .figure:visible").evaluate_all(
        "all => all.filter(one => one.scrollWidth > one.clientWidth + 1).map(one => one.innerHTML)"
    )
    assert figures == []


def test_folded_code_opens_with_one_click(site, open_page):
    """The site folds what has the tag hide-input: the setup cell, the checks of exercises, long figure code."""
    for lesson in LESSONS:
        page = open_page(f"{site}/en/{lesson}.html")
        folds = page.locator(".cell.tag_hide-input details.hide")
        assert folds.count() > 3 and folds.evaluate_all("all => all.every(one => !one.open)")
        code = folds.first.locator("pre").first
        assert not code.is_visible()
        folds.first.locator("summary").click()
        assert code.is_visible()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_first_page_reads_what_a_visitor_writes(site, open_page, language):
    page = open_page(f"{site}/{language}/index.html", reduced_motion="reduce")
    for sentence, wanted in page.evaluate("Object.entries(readerModel.examples)"):
        found = page.evaluate("text => readSentence(text).map(step => step.p)", sentence)
        assert found == pytest.approx(wanted, abs=0.01), "not what Keras computes"
    page.locator(".reader input").fill("I did not like it!")
    page.locator(".reader form button").click()
    assert page.locator(".reader .state").count() == 5
    assert re.search(r"it.*\d+ ?%", page.locator(".reader .said").inner_text())
    assert page.locator("ol.lessons > li").count() == len(LESSONS)
    assert page.problems == []


def test_icons_are_drawn_without_the_script_of_all_icons(site, open_page):
    page = open_page(f"{site}/en/{LESSONS[0]}.html")
    page.wait_for_timeout(500)
    icons = page.locator("i.fa-solid:visible, i.fas:visible, span.fa-solid:visible, i.fab:visible")
    fonts = icons.evaluate_all("all => all.map(one => getComputedStyle(one, '::before').content)")
    assert len(fonts) > 4 and "none" not in fonts
    assert page.evaluate(
        "[...document.fonts].some(f => /Awesome/.test(f.family) && f.status === 'loaded')"
    )
