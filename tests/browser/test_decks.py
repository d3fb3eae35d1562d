"""Each deck, opened from the disk without internet: first, middle and last slide show text and formulas, and all of it fits."""

import re

import pytest
from course import lessons

LESSONS = list(lessons())


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("lesson", LESSONS)
def test_slides_show_and_fit(slides, open_page, language, lesson):
    page = open_page(f"{slides}/{language}/{lesson}.html")
    page.wait_for_function("window.Reveal && Reveal.isReady()", timeout=60_000)
    total = page.evaluate("Reveal.getTotalSlides()")
    assert total >= 8
    with_formula = page.evaluate(
        "Reveal.getSlides().findIndex(slide => /\\\\\\(|\\$[^$]+\\$/.test(slide.querySelector('.fit').textContent))"
    )
    for number in sorted(
        {0, total // 2, total - 1, *([with_formula] if with_formula >= 0 else [])}
    ):
        page.evaluate(
            "n => { const at = Reveal.getIndices(Reveal.getSlides()[n]); Reveal.slide(at.h, at.v); }",
            number,
        )
        page.wait_for_function("Reveal.getCurrentSlide().dataset.ready === 'yes'", timeout=60_000)
        state = page.evaluate(
            """() => {
                const slide = Reveal.getCurrentSlide();
                const window_ = document.querySelector('.reveal').getBoundingClientRect();
                const parts = [...slide.querySelectorAll('.fit > *')].map(part => part.getBoundingClientRect());
                const out = box => box.right > window_.right + 2 || box.bottom > window_.bottom + 2 || box.left < -2;
                return {
                    text: slide.innerText,
                    pictures: [...slide.querySelectorAll('img')].filter(image => image.naturalWidth).length,
                    overflow: slide.dataset.overflow, size: Number(slide.dataset.size),
                    outside: parts.filter(box => box.width && out(box)).length,
                    formulas: slide.querySelectorAll('mjx-container').length, errors: slide.querySelectorAll('mjx-merror').length,
                };
            }"""
        )
        where = f"slide {number + 1} of {total}"
        assert len(state["text"].strip()) > 20 or state["pictures"], (
            where
        )  # a slide may be one figure
        assert state["overflow"] == "false" and state["outside"] == 0, where
        assert state["errors"] == 0 and state["size"] >= 0.5, where
        if number == with_formula:
            assert state["formulas"] > 0, f"{where}: its formula is not drawn"
        if number == 0:
            assert bool(re.search("[가-힣]", state["text"])) == (language == "ko"), where
    assert page.problems == []


def test_the_right_arrow_goes_through_all_slides(slides, open_page):
    page = open_page(f"{slides}/en/{LESSONS[0]}.html")
    page.wait_for_function("window.Reveal && Reveal.isReady()", timeout=60_000)
    page.evaluate(
        "window.seen = new Set([0]), Reveal.on('slidechanged', () => seen.add(Reveal.getSlidePastCount()))"
    )
    total, steps = page.evaluate(
        "[Reveal.getTotalSlides(), document.querySelectorAll('.fragment').length]"
    )
    for _ in range(total + steps):
        page.keyboard.press("ArrowRight")
    assert page.evaluate("seen.size") == total and page.evaluate("Reveal.isLastSlide()")
