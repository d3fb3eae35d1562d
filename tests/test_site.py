"""The site: whole notebooks only, every figure described, both languages page for page, and Sphinx without a warning."""

import importlib.util
import re
import shutil
import subprocess
import sys

import nbformat
import pytest
from lessons import ENGLISH, ROOT

sys.path.insert(0, str(ROOT / "tools"))
import hangul  # noqa: E402
import pages  # noqa: E402
import stamp  # noqa: E402
import website  # noqa: E402

LESSONS = [path.stem for path in ENGLISH]
BOTH = [(language, lesson) for language in ("en", "ko") for lesson in LESSONS]
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def notebook(source="print(1)", outputs=None, count=1):
    text = nbformat.v4.new_output("stream", text="1\n")
    cell = nbformat.v4.new_code_cell(
        source, outputs=[text] if outputs is None else outputs, execution_count=count, id="one"
    )
    return nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_markdown_cell("# 00 · Title", id="title"), cell]
    )


def figure(alt="A picture with a description of some length", **more):
    data = {"image/png": PIXEL, "text/plain": alt, **more}
    return nbformat.v4.new_output("display_data", data, metadata={"image/png": {"alt": alt}})


@pytest.mark.parametrize(("language", "lesson"), BOTH)
def test_every_lesson_can_be_a_page(language, lesson, tmp_path):
    original = pages.read(language, lesson)
    alts = [
        output.metadata[kind]["alt"]
        for cell in original.cells
        for output in cell.get("outputs", [])
        for kind in pages.PICTURES
        if kind in output.get("data", {})
    ]
    page = website.page(original, lesson, tmp_path)
    text = nbformat.writes(page)
    assert "badge" not in page.cells[0].source and "cdn.plot.ly" not in text
    shown = [
        output.data["text/html"]
        for cell in page.cells
        for output in cell.get("outputs", [])
        if "data" in output
    ]
    assert sum('class="figure' in html for html in map(str, shown)) == len(alts) > 0
    assert len(list((tmp_path / lesson).iterdir())) == len(alts)


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        (notebook(count=None), "its stored number is None"),
        (notebook(count=7), "its stored number is 7"),
        (notebook(outputs=[]), "the stored output is missing"),
        (notebook("frame.describe()\nframe", outputs=[]), "the stored output is missing"),
        (notebook("for x in y:\n    print(x)", outputs=[]), "the stored output is missing"),
        (
            notebook(outputs=[nbformat.v4.new_output("error", ename="E", evalue="", traceback=[])]),
            "is an error",
        ),
        (notebook(outputs=[figure(alt="short")]), "without a description"),
        (
            notebook(outputs=[nbformat.v4.new_output("display_data", {pages.LIVE: {}})]),
            "without a still picture",
        ),
    ],
)
def test_a_page_with_something_missing_is_refused(broken, says, tmp_path):
    with pytest.raises(pages.MissingOutput, match=says):
        website.page(broken, "00", tmp_path)


def test_cells_that_show_nothing_need_no_output(tmp_path):
    for source in (
        "x = 1",
        "def f():\n    print(1)",
        "model.fit(x)",
        "%pip install y",
        "if a:\n    !git clone b\nimport c",
    ):
        website.page(notebook(source, outputs=[]), "00", tmp_path)


def test_an_interactive_figure_keeps_its_picture_and_its_description(tmp_path):
    live = figure(
        alt="A figure with <angle brackets> in it",
        **{pages.LIVE: {"data": [], "layout": {"title": "</script>"}}},
    )
    html = pages.figure_html(live, "one", tmp_path, "figures")
    assert (
        'alt="A figure with &lt;angle brackets&gt; in it"' in html and html.count("</script>") == 1
    )
    assert (tmp_path / "one.png").exists()


def test_both_languages_have_the_same_pages(tmp_path):
    names = []
    for language in pages.LANGUAGES:
        website.write_sources(language, tmp_path / language, tmp_path / f"extra-{language}")
        names.append(sorted(path.name for path in (tmp_path / language).iterdir()))
    assert names[0] == names[1] and {"index.md", "glossary.md", "instructor-guide.md"} < set(
        names[0]
    )
    english, korean = (
        (tmp_path / language / "glossary.md").read_text(encoding="utf-8")
        for language in pages.LANGUAGES
    )
    assert english.count("\n") == korean.count("\n") and "**forget gate** | 삭제 게이트" in english
    assert "**삭제 게이트** | forget gate" in korean


def test_the_instructor_guide_names_cells_that_are_there():
    for suffix in ("", ".ko"):
        guide = (ROOT / "docs" / f"instructor-guide{suffix}.md").read_text(encoding="utf-8")
        for number, text in re.findall(r"^## (0\d) ·[^\n]*\n(.*?)(?=^## )", guide, re.S | re.M):
            cells = {
                cell["id"]
                for lesson in LESSONS
                if lesson.startswith(number)
                for cell in pages.read("en", lesson).cells
            }
            lines = [
                line for line in text.splitlines() if re.match(r"\*\*(Run live|직접 실행)", line)
            ]
            assert len(lines) == 1 and set(re.findall(r"`([\w-]+)`", lines[0])) <= cells, (
                number,
                lines,
            )


def test_korean_words_are_found_without_their_particles():
    assert "토큰" in hangul.beginnings("토큰을") and "게이트" in hangul.beginnings("게이트에서")
    assert hangul.beginnings("gates") == ["gates"] and hangul.beginnings("토큰") == ["토큰"]


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    if importlib.util.find_spec("sphinx_book_theme") is None:
        pytest.skip("Sphinx is installed by `make site`; `make test-site` runs these tests too")
    target = tmp_path_factory.mktemp("site")
    result = subprocess.run(
        [sys.executable, ROOT / "tools" / "website.py", "--target", target],
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert result.returncode == 0, result.stdout[-3000:] + result.stderr[-3000:]
    assert int(re.search(r"in (\d+) s", result.stdout)[1]) < 60
    return target


def test_pages_switch_language_and_describe_their_figures(built):
    for language, other in (("en", "ko"), ("ko", "en")):
        names = {path.name for path in (built / language).glob("*.html")}
        assert {f"{lesson}.html" for lesson in LESSONS} < names
        for name in names - {"search.html", "genindex.html"}:
            page = (built / language / name).read_text(encoding="utf-8")
            assert f'<html lang="{language}"' in page and f'href="../{other}/{name}"' in page, name
            assert (built / other / name).exists()
            assert (
                re.findall(r'<(?:script|link)[^>]+(?:src|href)="https?://[^"]+\.(?:js|css)', page)
                == []
            ), name
            pictures = re.findall(r"<img [^>]*>", page)
            assert all("alt=" in picture for picture in pictures), name
        lesson = (built / language / f"{LESSONS[0]}.html").read_text(encoding="utf-8")
        address, notebook = stamp.repository(), f"notebooks/{language}/{LESSONS[0]}.ipynb"
        assert f"colab.research.google.com/github/{address}/blob/main/{notebook}" in lesson
        assert f"mybinder.org/v2/gh/{address}/main?urlpath=lab/tree/{notebook}" in lesson
        assert (built / language / "_static" / "plotly.min.js").stat().st_size > 1_000_000
        assert (built / language / "_static" / "mathjax.js").stat().st_size > 1_000_000


def test_a_broken_link_stops_the_build(built, tmp_path):
    for name in ("docs", "tools", "notebooks", "pyproject.toml"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, tmp_path / name)
    (tmp_path / "build").mkdir()
    shutil.copytree(pages.BUILD / "npm", tmp_path / "build" / "npm")
    for path in (tmp_path / "notebooks").glob("*/*.ipynb"):
        if path.stem != LESSONS[0]:
            path.unlink()  # the index still links to them
    result = subprocess.run(
        [sys.executable, tmp_path / "tools" / "website.py"],
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert result.returncode == 1 and "Sphinx warned" in result.stderr
