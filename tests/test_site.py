"""The site: figures described, both languages page for page, one list of lessons, and Sphinx without a warning."""

import importlib.util
import re
import shutil
import subprocess
import sys

import course
import hangul
import lesson as lesson_tool
import nbformat
import pages
import pytest
import run
import stamp
import website
from lessons import BOTH, LESSONS, ROOT, bare_repository

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def code(output, **metadata):
    return nbformat.v4.new_code_cell("print(1)", outputs=[output], id="one", metadata=metadata)


def figure(alt="A picture with a description of some length", **more):
    data = {"image/png": PIXEL, "text/plain": alt, **more}
    return nbformat.v4.new_output("display_data", data, metadata={"image/png": {"alt": alt}})


@pytest.mark.parametrize(("language", "lesson"), BOTH)
def test_every_lesson_can_be_a_page(language, lesson, tmp_path):
    original = course.read(language, lesson)
    alts = [
        output.metadata[kind]["alt"]
        for cell in original.cells
        for output in cell.get("outputs", [])
        for kind in pages.PICTURES
        if kind in output.get("data", {})
    ]
    page = website.page(original, lesson, tmp_path)
    assert "badge" not in page.cells[0].source and "cdn.plot.ly" not in nbformat.writes(page)
    shown = [
        str(output.data["text/html"])
        for cell in page.cells
        for output in cell.get("outputs", [])
        if "text/html" in output.get("data", {})
    ]
    assert sum('class="figure' in html for html in shown) == len(alts) > 0
    assert len(list((tmp_path / "figures" / lesson).iterdir())) == len(alts)


@pytest.mark.parametrize(
    ("output", "says"),
    [
        (nbformat.v4.new_output("error", ename="E", evalue="", traceback=[]), "is an error"),
        (figure(alt="short"), "no description"),
        (nbformat.v4.new_output("display_data", {pages.LIVE: {}}), "no still picture"),
    ],
)
def test_a_page_with_something_missing_is_refused(output, says, tmp_path):
    title = nbformat.v4.new_markdown_cell("# 00 · Title", id="title")
    with pytest.raises(course.Problem, match=f"00_name, cell one: .*{says}"):
        website.page(nbformat.v4.new_notebook(cells=[title, code(output)]), "00_name", tmp_path)


def test_an_interactive_figure_keeps_its_picture_and_its_description(tmp_path):
    live = figure(
        alt="A figure with <angle brackets> in it",
        **{pages.LIVE: {"data": [], "layout": {"title": "</script>"}}},
    )
    html = pages.figure_html(code(live), 0, "00_name", tmp_path)
    assert 'alt="A figure with &lt;angle brackets&gt; in it"' in html
    assert html.count("</script>") == 1
    assert (tmp_path / "figures" / "00_name" / "one-0.png").exists()


# --- one list of lessons --------------------------------------------------------------------------


@pytest.mark.parametrize(("language", "lesson"), BOTH)
def test_a_lesson_says_of_itself_what_the_list_says(language, lesson):
    """notebooks/lessons.toml is right: title and minutes stand in the first cell of the lesson too."""
    about, cell = course.lessons()[lesson], course.read(language, lesson).cells[0]
    assert cell.source.startswith(f"# {lesson[:2]} · {about['title'][language]}\n")
    times = re.search(r"^\*\*(?:Time|시간)\*\*(.*)", cell.source, re.M)[1]
    times = times.replace("less than one minute", "1 minute")
    found = re.findall(r"(\d+)(?: minutes? to|분)", times)[:2]
    assert found == [f"{about['read']}", f"{about['run']}"], f"lessons.toml and {lesson}: {times}"


@pytest.mark.parametrize("language", course.LANGUAGES)
def test_pages_that_name_lessons_follow_the_list(language):
    suffix = "" if language == "en" else ".ko"
    readme = (ROOT / f"README{suffix}.md").read_text(encoding="utf-8")
    assert lesson_tool.table(language) in readme, (
        "README: run `python tools/lesson.py` to write its table"
    )
    guide = (ROOT / "docs" / f"instructor-guide{suffix}.md").read_text(encoding="utf-8")
    for lesson, about in course.lessons().items():
        title = f"{lesson[:2]} · {about['title'][language]}"
        assert f"\n## {title}\n" in guide, f"the instructor guide lacks a section `## {title}`"
    for name, number, text in re.findall(r"\[((\d\d) [^\]]*)\]\(\.\./notebooks/\w+/(\w+)", guide):
        title = course.lessons()[text]["title"][language]
        assert name == f"{number} {title}", (
            f"instructor guide: [{name}] should be [{number} {title}]"
        )
    for page in (ROOT / f"README{suffix}.md", ROOT / "docs" / f"instructor-guide{suffix}.md"):
        for name in re.findall(
            r"notebooks/(?:en|ko)/(\w+)\.ipynb", page.read_text(encoding="utf-8")
        ):
            assert name in LESSONS, f"{page.name}: there is no lesson {name}"


def test_both_languages_have_the_same_pages(tmp_path):
    names = []
    for language in course.LANGUAGES:
        website.write_sources(language, tmp_path / language, tmp_path / f"extra-{language}")
        names.append(sorted(path.name for path in (tmp_path / language).iterdir()))
    assert names[0] == names[1] and {"index.md", "glossary.md", "instructor-guide.md"} < set(
        names[0]
    )
    english, korean = (
        (tmp_path / language / "glossary.md").read_text(encoding="utf-8")
        for language in course.LANGUAGES
    )
    assert english.count("\n") == korean.count("\n") and "**forget gate** | 삭제 게이트" in english
    assert "**삭제 게이트** | forget gate" in korean


def test_the_instructor_guide_names_cells_that_are_there():
    for suffix in ("", ".ko"):
        guide = (ROOT / "docs" / f"instructor-guide{suffix}.md").read_text(encoding="utf-8")
        for number, text in re.findall(r"^## (\d\d) ·[^\n]*\n(.*?)(?=^## |\Z)", guide, re.S | re.M):
            [lesson] = course.chosen([number])
            cells = {cell["id"] for cell in course.read("en", lesson).cells}
            lines = re.findall(r"^\*\*(?:Run live|직접 실행).*", text, re.M)
            named = set(re.findall(r"`([\w-]+)`", "".join(lines)))
            assert len(lines) == 1 and named <= cells, (
                f"instructor-guide{suffix}.md, {number}: no cells {sorted(named - cells)} in {lesson}"
            )


def test_a_fork_leads_to_itself_and_other_people_s_links_stay(tmp_path):
    fork = tmp_path / "fork"
    subprocess.run(["git", "clone", "-q", bare_repository(tmp_path), fork], check=True)
    project, old = fork / "pyproject.toml", stamp.repository()
    text = project.read_text(encoding="utf-8")
    url = f'"https://github.com/{old}"'
    project.write_text(text.replace(url, '"https://github.com/some-one/my.course.git"'), "utf-8")
    foreign = re.compile(rf"https://(?![^\s\\)\"]*{old})[^\s\\)\"]+")
    links = lambda: sorted(  # noqa: E731
        link
        for file in fork.rglob("*.[mi][dp]*")
        for link in foreign.findall(file.read_text("utf-8"))
    )
    before = [link for link in links() if "some-one" not in link]
    stamp.main(fork)
    assert [link for link in links() if "some-one" not in link] == before
    left = subprocess.run(
        ["git", "grep", "-F", f"/{old}"], cwd=fork, capture_output=True, text=True
    )
    assert left.stdout == ""
    readme = (fork / "README.md").read_text(encoding="utf-8")
    assert "git clone https://github.com/some-one/my.course.git\ncd my.course\n" in readme
    for language, lesson in BOTH:
        was, now = course.read(language, lesson), course.read(language, lesson, fork)
        assert "colab.research.google.com/github/some-one/my.course/blob" in now.cells[0].source
        for one, two in zip(was.cells, now.cells, strict=True):
            fresh = one.metadata.get("ran") == run.source_hash(one)
            assert fresh == (two.metadata.get("ran") == run.source_hash(two)), two["id"]
        if now.cells[2]["id"] == "imports":  # written for the new setup cell
            assert 'sys.path.insert(0, "my.course")' in now.cells[1].source
    stamp.main(fork)  # once more changes nothing


def test_an_address_that_colab_cannot_open_is_refused(tmp_path):
    for url in ("https://gitlab.com/a/b", "https://github.com/a", "git@github.com:a/b.git"):
        (tmp_path / "pyproject.toml").write_text(f'[project.urls]\nRepository = "{url}"\n')
        with pytest.raises(course.Problem, match="pyproject.toml: Repository"):
            stamp.repository(tmp_path)


def test_a_new_lesson_takes_a_new_number():
    for name in (LESSONS[0], f"{LESSONS[0][:2]}_other", "intro", "14-x"):
        with pytest.raises(course.Problem, match="its number is new"):
            lesson_tool.add(name)


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
    assert int(re.search(r"in (\d+) s", result.stdout)[1]) < 180
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
    for name in ("docs", "tools", "notebooks", "pyproject.toml", "CITATION.cff"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, tmp_path / name)
    (tmp_path / "build").mkdir()
    shutil.copytree(course.BUILD / "npm", tmp_path / "build" / "npm")
    shutil.rmtree(tmp_path / "notebooks" / "figures")
    with (tmp_path / "docs" / "index.md").open("a", encoding="utf-8") as file:
        file.write("\n[nowhere](99_nowhere.ipynb)\n")
    result = subprocess.run(
        [sys.executable, tmp_path / "tools" / "website.py"],
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert result.returncode == 1 and "Sphinx warned" in result.stderr
