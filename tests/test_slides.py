"""The decks: what each notebook chooses for its slides, the notes and minutes for the speaker, the pages made from them."""

import re
import sys

import nbformat
import pytest
from lessons import ENGLISH, ROOT

sys.path.insert(0, str(ROOT / "tools"))
import pages  # noqa: E402
import slides  # noqa: E402

LESSONS = [path.stem for path in ENGLISH]
BOTH = [(language, lesson) for language in ("en", "ko") for lesson in LESSONS]


def cell(source, kind="code", show="subslide", **more):
    make = nbformat.v4.new_code_cell if kind == "code" else nbformat.v4.new_markdown_cell
    return make(source, metadata={"slideshow": {"slide_type": show}}, **more)


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_deck_is_a_lecture(lesson):
    notebook = pages.read("en", lesson)
    sections = slides.outline(notebook)
    shown = [position for section in sections for slide in section for position in slide]
    assert 8 <= len(sections) <= 16, "a section for each idea"
    assert 20 <= sum(map(len, sections)) <= 60 and len(shown) < 0.6 * len(notebook.cells), (
        "not a scroll of everything"
    )
    assert all(len(slide) <= 3 for section in sections for slide in section), (
        "at most three cells on one slide"
    )
    hidden = [cell["id"] for cell in notebook.cells if slides.slide_type(cell) == "skip"]
    assert "setup" in hidden and not [
        name for name in hidden if name in ("title", "summary", "exercises")
    ]
    assert all("slideshow" in cell.metadata for cell in notebook.cells), (
        "RISE shows a cell that says nothing"
    )


@pytest.mark.parametrize("lesson", LESSONS)
def test_each_section_has_minutes_and_notes_in_both_languages(lesson):
    notebook, notes = pages.read("en", lesson), slides.speaker(lesson)
    assert list(notes) == [
        notebook.cells[section[0][0]]["id"] for section in slides.outline(notebook)
    ]
    assert 45 <= sum(note["minutes"] for note in notes.values()) <= 75
    for name, note in notes.items():
        assert set(note) == {"minutes", "en", "ko"} and len(note["en"]) > 20, name
        assert re.search("[가-힣]{2}", note["ko"]) and not re.search(
            "[가-힣]", note["en"].replace("나이, 바나나", "")
        ), name


@pytest.mark.parametrize(("language", "lesson"), BOTH)
def test_a_deck_holds_its_slides_figures_and_notes(language, lesson, tmp_path):
    notebook = pages.read(language, lesson)
    page, count = slides.deck(lesson, language, tmp_path)
    assert f'lang="{language}"' in page and page.count(
        '<aside class="notes">'
    ) == count == page.count("data-timing=")
    assert 'src="http' not in page and not re.search(r"\{\{\w+\}\}", page)
    assert all(len(alt) > 20 for alt in re.findall(r'<img [^>]*alt="([^"]*)"', page))
    assert page.count("<img") == page.count(" alt=")
    for picture in re.findall(r'<img src="([^"]+)"', page):
        assert (tmp_path / language / picture).stat().st_size > 500, picture
    for lines in re.findall(
        r"<pre.*?</pre>", re.sub(r"<aside.*?</aside>", "", page, flags=re.S), re.S
    ):
        assert lines.count("\n") <= 28, "code that no screen can hold"
    chosen = [
        notebook.cells[p]["id"]
        for section in slides.outline(notebook)
        for slide in section
        for p in slide
    ]
    assert re.findall(r'data-cells="([^"]+)"', page)[0].split()[0] == chosen[0] == "title"


def test_the_question_stands_above_the_code_and_the_output_waits(tmp_path):
    text = cell(
        "Windows are cut.\n\n*How many windows can you cut from six numbers? Decide, then run.*",
        "markdown",
        "skip",
    )
    output = nbformat.v4.new_output("stream", text="3\n[figure] x = 1\n")
    notebook = nbformat.v4.new_notebook(
        cells=[text, cell("print(3)", outputs=[output], id="count")]
    )
    [page], spoken = slides.slide_html(notebook, [1], "01", "en", tmp_path)
    assert (
        page.index("How many windows") < page.index("print") < page.index('<div class="fragment">')
    )
    assert "Windows are cut" not in page and "[figure]" not in page and spoken == []


def test_long_text_goes_to_the_speaker_and_tables_stay():
    paragraphs = [f"{number} " + "word " * 60 for number in ("First", "Second")]
    table = "| a | b |\n|---|---|\n| 1 | 2 |"
    shown, spoken = slides.split_text("\n\n".join(["## Title", *paragraphs, table]), asks=False)
    assert shown == ["## Title", paragraphs[0].strip(), table] or shown == [
        "## Title",
        paragraphs[0],
        table,
    ]
    assert len(spoken) == 1 and spoken[0].startswith("Second")


def test_long_code_and_its_output_become_two_slides(tmp_path):
    code = "\n".join(f"x{number} = {number}" for number in range(12)) + "\nprint(x1)"
    output = nbformat.v4.new_output("stream", text="line\n" * 12)
    notebook = nbformat.v4.new_notebook(
        cells=[cell("", "markdown"), cell(code, outputs=[output], id="long")]
    )
    contents, _ = slides.slide_html(notebook, [1], "01", "en", tmp_path)
    assert (
        len(contents) == 2
        and "x11" in contents[0]
        and "line" not in contents[0]
        and "line" in contents[1]
    )


def test_code_is_cut_to_the_width_of_a_slide():
    code = "values = [compute_something(number, 1, 2, 3) for number in range(100) if number % 7 == 0 and number % 3 != 0]"
    narrow = slides.narrow(f'{code}\nshow("A text")')
    assert max(map(len, narrow.splitlines())) <= 84 and "A text" not in narrow
