"""The decks: what each notebook chooses for its slides, the notes and minutes for the speaker, the pages made from them."""

import re

import course
import nbformat
import pytest
import slides
from lessons import BOTH, LESSONS


def cell(source, kind="code", show="subslide", **more):
    make = nbformat.v4.new_code_cell if kind == "code" else nbformat.v4.new_markdown_cell
    return make(source, metadata={"slideshow": {"slide_type": show}}, **more)


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_deck_is_a_lecture(lesson):
    notebook = course.read("en", lesson)
    sections = slides.outline(notebook)
    shown = [position for section in sections for slide in section for position in slide]
    cells, made = len(notebook.cells), sum(map(len, sections))
    assert min(8, cells / 12) <= len(sections) <= 16, f"{len(sections)} sections"
    assert made <= 60 and len(shown) <= max(0.6 * cells, 8), f"{made} slides for {cells} cells"
    crowded = [slide for section in sections for slide in section if len(slide) > 3]
    assert not crowded, f"over three cells on a slide: {notebook.cells[crowded[0][0]]['id']}"
    hidden = [cell["id"] for cell in notebook.cells if slides.slide_type(cell) == "skip"]
    assert "setup" in hidden and not [
        name for name in hidden if name in ("title", "summary", "exercises")
    ]
    silent = [cell["id"] for cell in notebook.cells if "slideshow" not in cell.metadata]
    assert not silent, f"{lesson}: RISE shows a cell without a slide type: {silent}"


@pytest.mark.parametrize("lesson", LESSONS)
def test_each_section_has_minutes_and_notes_in_both_languages(lesson):
    notebook = course.read("en", lesson)
    names = [notebook.cells[section[0][0]]["id"] for section in slides.outline(notebook, lesson)]
    notes = slides.speaker(lesson, names)
    assert list(notes) == names, f"docs/slides/{lesson}.toml: the sections in the lesson's order"
    minutes = sum(note["minutes"] for note in notes.values())
    assert minutes <= 75 and minutes >= min(45, len(notebook.cells)), f"{lesson}: {minutes} minutes"
    for name, note in notes.items():
        assert set(note) == {"minutes", "en", "ko"} and len(note["en"]) > 20, name
        assert re.search("[가-힣]{2}", note["ko"]) and not re.search(
            "[가-힣]", note["en"].replace("나이, 바나나", "")
        ), name


@pytest.mark.parametrize(("language", "lesson"), BOTH)
def test_a_deck_holds_its_slides_figures_and_notes(language, lesson, tmp_path):
    notebook = course.read(language, lesson)
    page, count = slides.deck(lesson, language, tmp_path / language)
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
    output = nbformat.v4.new_output("stream", text="3\n")
    notebook = nbformat.v4.new_notebook(
        cells=[text, cell("print(3)", outputs=[output], id="count")]
    )
    [page], spoken = slides.slide_html(notebook, [1], "01", "en", tmp_path)
    assert (
        page.index("How many windows") < page.index("print") < page.index('<div class="fragment">')
    )
    assert "Windows are cut" not in page and spoken == []


def test_folded_code_is_for_the_speaker(tmp_path):
    output = nbformat.v4.new_output("stream", text="a table of numbers")
    folded = cell("draw(axes)", outputs=[output], id="folded")
    folded.metadata["tags"] = ["hide-input"]
    notebook = nbformat.v4.new_notebook(cells=[cell("", "markdown"), folded])
    [page], spoken = slides.slide_html(notebook, [1], "01", "en", tmp_path)
    assert "a table of numbers" in page and "draw" not in page and "draw(axes)" in spoken[0]


def test_mistakes_in_the_choice_of_slides_are_named(tmp_path):
    text = cell("Text", "markdown", "subslide", id="text")
    with pytest.raises(course.Problem, match="00: the first cell on a slide"):
        slides.outline(nbformat.v4.new_notebook(cells=[text]), "00")
    with pytest.raises(course.Problem, match="docs/slides/00.toml is missing"):
        slides.speaker("00", ["title"])
    with pytest.raises(course.Problem, match=f"{LESSONS[0]}.toml: cell "):
        slides.speaker(LESSONS[0], ["other"])


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
