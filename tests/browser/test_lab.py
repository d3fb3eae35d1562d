"""JupyterLab opens lessons in each language; Run All ends with every prompt numbered; figures answer to the mouse."""

import contextlib
import re

import nbformat
import pytest
from conftest import BLOCKS
from playwright.sync_api import TimeoutError

PROMPTS = """() => [...document.querySelectorAll('.jp-Notebook .jp-CodeCell .jp-InputArea-prompt')]
    .map(prompt => prompt.textContent)"""


@pytest.mark.parametrize("language", ["en", "ko"])
def test_run_all(lab, open_page, language):
    address, folder = lab
    path = f"notebooks/{language}/01_rnn_intro.ipynb"
    notebook = nbformat.read(folder / path, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    shown = [
        n for n, cell in enumerate(code, 1) if "hide-input" not in cell.metadata.get("tags", [])
    ]
    page = open_page(f"{address}/lab/workspaces/{language}/tree/{path}?token=test")
    # a folded cell is a bar without a prompt
    page.wait_for_function(f"({PROMPTS})().length == {len(shown)}", timeout=120_000)
    heading = page.locator(".jp-Notebook h1").first.inner_text()
    assert bool(re.search("[가-힣]", heading)) == (language == "ko")
    page.wait_for_selector('.jp-Notebook-ExecutionIndicator[data-status="idle"]', timeout=60_000)

    for _ in range(3):  # while JupyterLab is still settling, a click can be lost
        page.locator(".lm-MenuBar-item", has_text=re.compile("^Run$")).click()
        page.locator('[data-command="runmenu:run-all"]').click()
        with contextlib.suppress(TimeoutError):
            page.wait_for_function(
                f"({PROMPTS})().some(text => /[*\\d]/.test(text))", timeout=20_000
            )
            break
    page.wait_for_function(
        f"({PROMPTS})().every(text => /^\\[\\d+\\]:$/.test(text))", timeout=240_000
    )
    numbers = [int(text[1:-2]) for text in page.evaluate(PROMPTS)]
    assert numbers == shown
    assert page.locator('[data-mime-type="application/vnd.jupyter.error"]').count() == 0

    # a slider of a Plotly figure, moved with the mouse, changes the curves
    figure = page.locator(".js-plotly-plot", has=page.locator(".slider-container")).first
    figure.scroll_into_view_if_needed()
    figure.locator(".slider-grip-rect").wait_for(timeout=30_000)
    before = figure.evaluate(
        "plot => JSON.stringify([...plot.querySelectorAll('.trace path')].map(p => p.getAttribute('d')))"
    )
    assert len(before) > 50
    rail = figure.locator(".slider-rail-touch-rect").bounding_box()
    page.mouse.click(rail["x"] + 0.9 * rail["width"], rail["y"] + rail["height"] / 2)
    page.wait_for_timeout(1500)
    after = figure.evaluate(
        "plot => JSON.stringify([...plot.querySelectorAll('.trace path')].map(p => p.getAttribute('d')))"
    )
    assert after != before, "the slider did not change the figure"


def test_folded_code_is_folded(lab, open_page):
    """What `make sync` makes of the tag hide-input: JupyterLab shows the cell as one bar, and a click opens it."""
    address, _ = lab
    page = open_page(f"{address}/lab/workspaces/folded/tree/folded.ipynb?token=test")
    page.locator(".jp-Notebook .jp-CodeCell .cm-content").first.wait_for(timeout=120_000)
    bar = page.locator(".jp-Notebook .jp-InputPlaceholder")
    bar.wait_for(timeout=60_000)
    assert page.locator(".jp-Notebook .jp-CodeCell .cm-content:visible").count() == 1
    bar.locator(".jp-Placeholder-content").click()
    page.locator(".jp-Notebook .jp-CodeCell .cm-content:visible").nth(1).wait_for(timeout=20_000)
    assert bar.count() == 0


@pytest.mark.parametrize("path", ["en/01_rnn_intro", "ko/05_tokenization"])
def test_nothing_is_wider_than_its_column(lab, open_page, path):
    address, _ = lab
    page = open_page(f"{address}/lab/workspaces/w{path[:2]}/tree/notebooks/{path}.ipynb?token=test")
    page.wait_for_selector(".jp-Notebook .jp-CodeCell .cm-content", timeout=120_000)
    page.wait_for_timeout(3000)
    more = ", .jp-Notebook .cm-scroller, .jp-Notebook .jp-RenderedHTMLCommon"
    assert page.evaluate(BLOCKS, [".jp-Notebook", more]) == []
