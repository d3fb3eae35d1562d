"""What every notebook keeps: its parts, its two languages in step, its stored outputs, its exercises."""

import json
import re
import shutil
import statistics
import subprocess
import sys
import tomllib

import course
import nbformat
import pytest
import run
import stamp
import sync
from lessons import BOTH, LESSONS, NOTEBOOKS, ROOT, code, markdown

EXPECTED = run.expected()
RESULTS = json.loads(run.RESULTS.read_text(encoding="utf-8")) if run.RESULTS.exists() else {}
LONG = 8  # lines; a figure or a table that takes more code than this is folded
SETUP = """import sys

sys.path.insert(0, "../..")  # {where}
try:
    from helpers import setup
except ImportError:  # {colab}
    !git clone -q --depth 1 https://github.com/{address}.git
    sys.modules.pop("helpers", None)
    sys.path.insert(0, "{folder}")
    from helpers import setup

setup(seed=42, language="{language}")"""


def folded(cell):
    return "hide-input" in course.tags(cell)


def prose(markdown):
    return re.sub(r"```.*?```", "", markdown, flags=re.S)


def shown(output):
    """The text of an output, as a reader or a screen reader gets it."""
    return output.get("text") or str(output.get("data", {}).get("text/plain", ""))


def test_the_list_of_lessons_is_the_folder():
    for language in course.LANGUAGES:
        assert sorted(path.stem for path in (NOTEBOOKS / language).glob("*.ipynb")) == LESSONS


# --- parts and manners ----------------------------------------------------------------------------


@pytest.mark.parametrize(("language", "lesson"), BOTH)
def test_parts_of_a_lesson(language, lesson):
    notebook = course.read(language, lesson)
    title, setup, imports = notebook.cells[:3]
    name, other = f"{language}/{lesson}", "ko" if language == "en" else "en"
    headings = [
        line
        for cell in markdown(notebook)
        for line in prose(cell.source).splitlines()
        if line.startswith("# ")
    ]
    assert headings == [f"# {lesson[:2]} · {course.lessons()[lesson]['title'][language]}"]
    address = stamp.repository()
    assert (
        f"colab.research.google.com/github/{address}/blob/main/notebooks/{name}.ipynb"
        in title.source
    )
    assert (
        f"mybinder.org/v2/gh/{address}/main?urlpath=lab/tree/notebooks/{name}.ipynb" in title.source
    )
    assert f"(../{other}/{lesson}.ipynb)" in title.source
    comments = re.findall(r"  # (.*)", setup.source)
    words = {
        "where": comments[0],
        "colab": comments[1],
        "address": address,
        "folder": address.split("/")[1],
    }
    assert setup["id"] == "setup" and setup.source == SETUP.format(**words, language=language)
    assert imports["id"] == "imports" and imports.source.count("\n") < 12
    assert 3 <= len(course.exercises(notebook, name)) <= 6


@pytest.mark.parametrize("lesson", LESSONS)
def test_code_is_written_for_its_reader(lesson):
    """Nothing of the house in a cell; short cells; what only decorates is folded."""
    cells = code(course.read("en", lesson))
    for cell in cells:
        found = re.search(
            r"RNN_FAST|\bglobal \w|\[figure\]|\brecord\(|# noqa|^del ", cell.source, re.M
        )
        assert not found, f"{lesson}, cell {cell['id']}: {found[0]!r} serves us, not the reader"
        if cell["id"].endswith("-check") or cell.source.startswith("drawing("):
            assert folded(cell), f"{lesson}, cell {cell['id']}: give it the tag hide-input"
        if re.search(r"^(plt|figure)\.show\(\)", cell.source, re.M):
            lines = cell.source.count("\n") + 1
            assert folded(cell) or lines <= LONG + 2, (
                f"{lesson}, cell {cell['id']}: {lines} lines for a figure: fold them"
            )
    lengths = {cell["id"]: cell.source.count("\n") + 1 for cell in cells if not folded(cell)}
    assert not [name for name, lines in lengths.items() if lines > 20], (
        f"{lesson}: over 20 lines in an open cell"
    )
    assert statistics.median(lengths.values()) <= 5


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_lesson_can_be_read_in_one_go(lesson):
    text = [prose(cell.source) for cell in markdown(course.read("en", lesson))]
    assert sum(len(part.split()) for part in text) <= 4_500
    numbers = [
        number
        for part in text
        for number in RESULT.findall(re.sub(r"`[^`]*`|\$[^$]*\$|\]\([^)]*\)", "", part))
    ]
    assert len(numbers) <= 80, f"{len(numbers)} numbers in the prose: point at the table instead"


@pytest.mark.parametrize(("language", "lesson"), BOTH)
def test_nothing_is_wider_than_its_column(language, lesson):
    for cell in code(course.read(language, lesson)):
        texts = [("code", cell.source)]
        texts += [
            ("output", shown(output))
            for output in cell.outputs
            if "image/png" not in output.get("data", {})
        ]
        for kind, text in texts:
            wide = [line for line in text.splitlines() if sync.width(line) > sync.COLUMNS]
            if kind == "output" and "svg" in str(cell.outputs[0].get("data", {}).keys()):
                continue  # the description of a drawing
            assert not wide, (
                f"{language}/{lesson}, cell {cell['id']}: {kind} of over 80 columns: {wide[0]}"
            )


def test_links_between_notebooks_lead_somewhere():
    for language, lesson in BOTH:
        for cell in markdown(course.read(language, lesson)):
            for target in re.findall(r"\]\(((?:\.\./(?:en|ko)/)?[\w-]+)\.ipynb\)", cell.source):
                assert target.rsplit("/", 1)[-1] in LESSONS, (
                    f"{language}/{lesson}, cell {cell['id']}: {target}.ipynb"
                )


@pytest.mark.parametrize(("language", "lesson"), BOTH)
def test_citations_have_one_form(language, lesson):
    """Further reading: author (year), *title*. Links lead to https addresses or to other lessons."""
    cells = markdown(course.read(language, lesson))
    heading = r"\*\*(?:Further reading|더 읽을거리)\*\*"
    reading = [cell.source for cell in cells if re.search(f"^{heading}$", cell.source, re.M)]
    assert len(reading) == 1, f"{language}/{lesson}: one cell has the heading **Further reading**"
    items = re.split(f"{heading}\n+", reading[0])[1].split("\n\n")[0].splitlines()
    assert len(items) >= 2
    for item in items:
        assert re.match(r"- [^()*]+ \((?:18|19|20)\d\d\), \[?\*[^*]+\*", item), item
    for cell in cells:
        for target in re.findall(r"\]\(([^)]*)\)", prose(cell.source)):
            assert target.startswith(("https://", "#")) or target.endswith(".ipynb"), target


def test_english_is_spelled_right(tmp_path):
    pages = [
        path
        for folder in (ROOT, ROOT / "data", ROOT / "docs")
        for path in folder.glob("*.md")
        if ".ko." not in path.name
    ]
    for path in [*pages, *ROOT.glob("*.py"), *ROOT.glob("tools/*.py"), *ROOT.glob("tests/*.py")]:
        shutil.copy(path, tmp_path / f"{path.parent.name}-{path.name}")
    for lesson in LESSONS:
        text = "\n\n".join(cell.source for cell in course.read("en", lesson).cells)
        (tmp_path / f"{lesson}.txt").write_text(text, encoding="utf-8")
    codespell = [sys.executable, "-m", "codespell_lib", "--toml", ROOT / "pyproject.toml", tmp_path]
    result = subprocess.run(codespell, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr


# --- two languages --------------------------------------------------------------------------------


@pytest.mark.parametrize("lesson", LESSONS)
def test_languages_are_in_step(lesson):
    """Every text and every word in code has its translation; the code is the same but for the words."""
    english, korean, words = (
        course.read("en", lesson),
        course.read("ko", lesson),
        sync.Words(lesson),
    )
    result, stale = sync.synced(sync.folded(course.read("en", lesson)), korean, words)
    for svg in sync.drawings(lesson):
        there = (sync.FIGURES / "ko" / svg.name).read_text(encoding="utf-8")
        assert there == sync.drawing_in_korean(svg.read_text(encoding="utf-8"), words, svg.stem), (
            svg.name
        )
    assert not stale, f"{lesson}: translate these cells again: {stale}"
    assert not words.missing, f"{sync.named(words.file)} lacks: {words.missing}"
    assert result == korean and sync.folded(course.read("en", lesson)) == english, "run `make sync`"
    for one, two in zip(code(english), code(korean), strict=True):
        assert sync.same_code(one.source, two.source), (
            f"{lesson}, cell {one['id']}: the Korean code differs"
        )
        answers = [re.findall(r"^@check\(.*\)$", cell.source, re.M) for cell in (one, two)]
        assert answers[0] == answers[1], (
            f"{lesson}, cell {one['id']}: names of answers stay (msgctxt in the catalogue)"
        )


@pytest.mark.parametrize("lesson", LESSONS)
def test_korean_is_korean(lesson):
    english, korean = course.read("en", lesson), course.read("ko", lesson)
    for original, cell in zip(markdown(english), markdown(korean), strict=True):
        words = re.sub(
            r"\$\$?.*?\$\$?|`[^`]*`|<[^>]+>|\[!?\[?[^\]]*\]\([^)]*\)",
            "",
            prose(cell.source),
            flags=re.S,
        )
        if len(re.findall(r"[A-Za-z]{3,}", words)) > 3:
            assert len(re.findall("[가-힣]", words)) > len(re.findall("[A-Za-z]", words)) / 4, cell[
                "id"
            ]
        blocks = [
            re.findall(r"```python\n(.*?)```", part.source, re.S) for part in (original, cell)
        ]
        for one, two in zip(*blocks, strict=True):
            assert sync.same_code(one, two), (
                f"{lesson}, cell {cell['id']}: the code in the text differs"
            )


@pytest.mark.parametrize("lesson", LESSONS)
def test_both_languages_print_the_same_numbers(lesson):
    """But for seconds (tag `clock`)."""
    english, korean = course.read("en", lesson), course.read("ko", lesson)
    for one, two in zip(code(english), code(korean), strict=True):
        if "clock" in course.tags(one) or one["id"] == "setup":
            continue
        pair = [
            [
                sorted(re.findall(r"\d+(?:\.\d+)?", shown(o)))
                for o in cell.outputs
                if "name" in o or "data" in o
            ]
            for cell in (one, two)
        ]
        texts = [
            cell
            for cell in (one, two)
            if any(
                "image/svg+xml" in o.get("data", {}) or "image/png" in o.get("data", {})
                for o in cell.outputs
            )
        ]
        assert texts or pair[0] == pair[1], f"{lesson}, cell {one['id']}: other numbers in Korean"


@pytest.mark.parametrize("lesson", LESSONS)
def test_the_font_has_every_syllable(lesson):
    """What a figure says in Korean is drawn, on any machine, with the course's own font."""
    from matplotlib.ft2font import FT2Font

    import helpers

    there = {chr(number) for number in FT2Font(str(helpers.FONT)).get_charmap()}
    text = "".join(entry.msgstr for entry in sync.Words(lesson).own)
    assert set(re.findall("[가-힣ㄱ-ㆎ]", text)) <= there


def test_terms_are_the_glossary_s():
    """One term for one thing: the variants that docs/glossary.md bans appear nowhere."""
    banned = tomllib.loads((ROOT / "tests" / "banned.toml").read_text(encoding="utf-8"))
    found = []
    for language, lesson in BOTH:
        if language == "ko":
            for cell in course.read("ko", lesson).cells:
                text = prose(cell.source) if cell.cell_type == "markdown" else cell.source
                found += [
                    (lesson, cell["id"], word, use)
                    for word, use in banned.items()
                    if re.search(word, text)
                ]
    for page in [
        ROOT / "README.ko.md",
        *ROOT.glob("docs/*.ko.md"),
        *ROOT.glob("docs/slides/*.toml"),
    ]:
        text = page.read_text(encoding="utf-8")
        found += [(page.name, word, use) for word, use in banned.items() if re.search(word, text)]
    assert not found, "\n".join(map(str, found))


def test_strings_and_comments_are_found_and_replaced(tmp_path):
    catalogue = {
        "loss {x:.2f} of {{it}}": "{{그것}}의 손실 {x:.2f}",
        "# a comment": "# 주석",
        "Count again: the last one has no next value.": "다시 세어 보세요. 마지막 윈도에는 다음 값이 없으므로 하나가 줄어듭니다.",
        "en": "ko",
    }
    entries = "\n".join(f'msgid "{one}"\nmsgstr "{two}"\n' for one, two in catalogue.items())
    (tmp_path / "x.po").write_text(entries, encoding="utf-8")
    words = sync.Words("x", tmp_path)
    english = (
        "try:\n    pass\nexcept ValueError:  # a comment\n    !git clone -q x\n"
        'print(f"loss {x:.2f} " f"of {{it}}", d["key"], "o-")\n'
        'check(1, "Count again: the last "\n    "one has no next value.")\nsetup(language="en")'
    )
    korean = sync.in_korean(english, words, "cell")
    assert "{{그것}}의 손실 {x:.2f}" in korean and "# 주석" in korean and 'language="ko"' in korean
    assert "    !git clone -q x" in korean and words.missing == [("cell", "key")]
    assert sync.same_code(english, korean)
    page = notebook(cell("code", korean, "cell"))
    sync.formatted(page)
    assert max(map(sync.width, page.cells[0].source.splitlines())) <= 80
    assert not sync.same_code(english, korean.replace("{x:.2f}", "{y:.2f}"))


def cell(kind, source, name, **metadata):
    make = nbformat.v4.new_markdown_cell if kind == "text" else nbformat.v4.new_code_cell
    return make(source, id=name, metadata=metadata)


def notebook(*cells):
    return nbformat.v4.new_notebook(cells=list(cells))


def test_sync_copies_code_and_finds_what_to_translate(tmp_path):
    words = sync.Words("none", tmp_path)
    english = notebook(cell("text", "Hello there", "a"), cell("code", "1", "b"))
    korean, stale = sync.synced(english, None, words)
    assert stale == ["a"]
    with pytest.raises(course.Problem, match="still in English"):
        sync.accept(
            notebook(cell("text", "one long text", "a")),
            notebook(cell("text", "one long text", "a")),
            ["a"],
        )
    with pytest.raises(course.Problem, match="no text cell z"):
        sync.accept(english, korean, ["z"])
    korean.cells[0].source = "안녕하세요"
    sync.accept(english, korean, ["a"])
    assert sync.synced(english, korean, words)[1] == []
    english.cells[1].source = "2"
    english.cells.append(cell("text", "New", "c"))
    result, stale = sync.synced(english, korean, words)
    assert [cell.source for cell in result.cells] == ["안녕하세요", "2", "New"] and stale == ["c"]
    english.cells[0].source = "Hello again"
    assert sync.synced(english, result, words)[1] == ["a", "c"]


def test_sync_loses_nothing_that_a_person_wrote(tmp_path):
    words = sync.Words("none", tmp_path)
    english = notebook(cell("text", "Hello", "a"), cell("code", "x = 1", "b"))
    korean, _ = sync.synced(english, None, words)
    korean.cells[0].source = "안녕하세요"
    renamed = notebook(cell("text", "Hello", "new"), cell("code", "x = 1", "b"))
    with pytest.raises(course.Problem, match="cells a would be lost"):
        sync.synced(renamed, korean, words)
    assert sync.synced(renamed, korean, words, drop=True)[1] == ["new"]
    korean.cells[1].source = "x = 2  # by hand"
    with pytest.raises(course.Problem, match="cells b would be lost"):
        sync.synced(english, korean, words)


def test_a_fold_is_set_and_taken_back():
    page = notebook(
        cell("code", "1", "a", tags=["hide-input"]),
        cell("code", "2", "b", cellView="form", jupyter={"source_hidden": True}),
    )
    one, two = (part.metadata for part in sync.folded(page).cells)
    assert one["cellView"] == "form" and one["jupyter"]["source_hidden"]
    assert "cellView" not in two and "jupyter" not in two


def test_a_damaged_notebook_is_named(tmp_path):
    file = tmp_path / "x.ipynb"
    text = nbformat.writes(notebook(cell("code", "1", "a"), cell("code", "2", "b")))
    file.write_text(text.replace('"id": "b"', '"id": "a"'), encoding="utf-8")
    with pytest.raises(course.Problem, match="cell a: two cells"):
        course.load(file)
    file.write_text(text.replace('"id": "b",', '"id": "b",\n<<<<<<< HEAD\n'), encoding="utf-8")
    with pytest.raises(course.Problem, match="cell b .*merge conflict"):
        course.load(file)
    with pytest.raises(course.Problem, match="no lesson '99'"):
        course.chosen(["99"])


# --- numbers in the prose --------------------------------------------------------------------------

RESULT = re.compile(  # a decimal, a number with thousands, or a percentage
    r"(?<![\w.,^{-])(\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+\.\d+|\d+(?= ?\\?%))(?!\w|[.,]\d)( ?\\?%)?"
)
CITATION = re.compile(  # Maas et al. 2011; the lecture chapter behind the course
    r"[A-Z]\w+(?: et al\.)?[^.\n]{0,40}\b(?:19|20)\d\d\b|chapter|교재"
)


def _values(text):
    return {
        float(re.sub("[,_]", "", number))
        for number in re.findall(r"\d[\d,_]*(?:\.\d+)?(?:e-?\d+)?", text)
    }


def unbacked_numbers(notebook, figures=()):
    """(cell, number) for each result-like number in the markdown that neither an exact output (a cell compared by nbval), nor
    a headline figure, which has a range, nor the code, nor a citation in the same cell backs."""
    backing = set(figures)
    for cell in code(notebook):
        backing |= _values(cell.source)
        if "nbval-check-output" in course.tags(cell):
            for output in cell.outputs:
                backing |= _values(shown(output))
    found = []
    for cell in markdown(notebook):
        text = re.sub(r"`[^`]*`|<[^>]+>|\]\([^)]*\)", "", prose(cell.source))
        for match in RESULT.finditer(text):
            number, percent = match[1].replace(",", ""), match[2]
            tolerance = 0.5001 * 10.0 ** -len(number.partition(".")[2])
            scales = (1, 100) if percent else (1,)
            near = any(
                abs(value * scale - float(number)) <= tolerance
                for value in backing
                for scale in scales
            )
            if not near and not CITATION.search(text):
                found.append((cell["id"], match[0]))
    return found


@pytest.mark.parametrize(("language", "lesson"), BOTH)
def test_numbers_in_the_prose_are_backed(language, lesson):
    figures = RESULTS.get(lesson, {}).get("figures", {}).values()
    found = unbacked_numbers(course.read(language, lesson), figures)
    assert not found, (
        f"{language}/{lesson}: no output, figure or citation backs these numbers: {found}"
    )


def test_an_unbacked_number_is_found():
    exact = cell("code", "n = 1_000", "a", tags=["nbval-check-output"])
    exact.outputs = [nbformat.v4.new_output("stream", text="0.8862 of 5,528")]
    moving = cell("code", "", "b")
    moving.outputs = [nbformat.v4.new_output("stream", text="0.123")]

    def found(text):
        return [
            number
            for _, number in unbacked_numbers(
                notebook(exact, moving, cell("text", text, "c")), [0.25]
            )
        ]

    assert (
        found(
            "0.886, 88.6%, 89 %, 5,528 rows, 1,000 words, 0.25; three of 7; `0.5`; Maas in lesson 07"
        )
        == []
    )
    assert found("0.87, 88.7%, 5,529 rows") == ["0.87", "88.7%", "5,529"]
    assert found("It reaches 0.123 here.") == ["0.123"]
    assert found("Maas et al. (2011) report 88.89%.") == []


# --- stored outputs -------------------------------------------------------------------------------


@pytest.mark.parametrize(("language", "lesson"), BOTH)
def test_stored_outputs_are_whole(language, lesson):
    notebook, where = course.read(language, lesson), f"{language}/{lesson}"
    assert course.path(language, lesson).stat().st_size < 1_500_000
    text = course.path(language, lesson).read_text(encoding="utf-8")
    assert "/root/" not in text and "/home/" not in text and "/work/" not in text
    for cell in code(notebook):
        here = f"{where}, cell {cell['id']}"
        assert cell.metadata.get("ran") == run.source_hash(cell), (
            f"{here}: its output is older than its code: make outputs"
        )
        assert cell.execution_count is None, (
            f"{here}: an execution count, which would make branches conflict"
        )
        for output in cell.outputs:
            data = output.get("data", {})
            assert output.output_type != "error", here
            assert output.get("name") != "stderr" and run.WIDGET not in data, (
                f"{here}: a bar or a log line"
            )
            assert not re.search(r"it/s\]|\d%\|", shown(output)), f"{here}: a progress bar"
            if "image/png" in data:
                alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
                assert len(alt) >= 20, f"{here}: no description (metadata: mystnb, image, alt)"
                assert output.metadata["image/png"]["alt"] == alt, (
                    f"{here}: another description than its metadata"
                )
            if run.LIVE in data:
                assert "image/png" in data, f"{here}: no still picture"


@pytest.mark.parametrize(("language", "lesson"), BOTH)
def test_cells_marked_for_comparison_have_text_to_compare(language, lesson):
    marked = [
        cell
        for cell in code(course.read(language, lesson))
        if "nbval-check-output" in course.tags(cell)
    ]
    assert marked
    for cell in marked:
        assert cell.outputs, (
            f"{lesson}, cell {cell['id']} is marked and has no stored output: nbval would pass it silently"
        )
        for output in cell.outputs:
            assert not {"image/png", run.LIVE} & set(output.get("data", {})), cell["id"]


@pytest.mark.parametrize("lesson", LESSONS)
def test_stored_figures_are_in_their_ranges(lesson):
    source = run.sources(course.read("en", lesson))
    kinds = {"real", "not official"}  # the second: Korean reviews drawn from the same comments
    assert set(source.values()) <= kinds, "stored outputs come from real data"
    rows = run.judge(EXPECTED[lesson], RESULTS[lesson]["figures"], source)
    fine = ("ok", "not judged: nsmc not official")
    assert rows and [row for row in rows if row[3] not in fine] == []


@pytest.mark.parametrize("lesson", LESSONS)
def test_expected_figures_name_a_cell_and_say_why(lesson):
    ids = {cell["id"] for cell in code(course.read("en", lesson))}
    for name, rule in EXPECTED[lesson].items():
        assert rule["after"] in ids, f"{lesson}, {name}: there is no code cell {rule['after']}"
        assert rule["min"] <= rule["max"] and len(rule["why"]) > 5, name
        assert rule.get("needs") in (None, "stock", "imdb", "glove", "nsmc"), name
        assert "second" not in name, f"{lesson}, {name}: seconds are reported, never judged"


def test_a_figure_outside_its_range_is_found():
    rules = {"a": {"min": 1, "max": 2}, "b": {"min": 0, "max": 1, "needs": "stock"}}
    verdicts = lambda found, source: [row[3] for row in run.judge(rules, found, source)]  # noqa: E731
    assert verdicts({"a": 1.5, "b": 0.5}, {"stock": "real"}) == ["ok", "ok"]
    assert verdicts({"a": 2.5, "b": 7}, {"stock": "simulated"}) == [
        "OUTSIDE",
        "not judged: stock simulated",
    ]
    assert verdicts({"b": 7}, {"stock": "real"}) == ["MISSING", "OUTSIDE"]
    assert verdicts({"a": "(NameError: x)"}, {}) == [
        "MISSING (NameError: x)",
        "not judged: stock missing",
    ]
    assert len(run.wrong(run.judge(rules, {"b": 7}, {"stock": "real"}))) == 2


def test_figures_are_evaluated_in_the_kernel_and_a_failing_cell_is_named(monkeypatch, tmp_path):
    page = notebook(
        cell("text", "## One", "text"),
        cell("code", "x = 3", "first"),
        cell("code", "y = 1 / 0", "second"),
    )
    monkeypatch.setattr(run, "read", lambda language, name: page)
    monkeypatch.setattr(run, "BUILD", tmp_path)
    monkeypatch.setattr(
        run,
        "expected",
        lambda name: {"twice": {"after": "first", "value": "2 * x", "min": 0, "max": 9}},
    )
    lesson = run.Lesson("x", "en")
    lesson.execute()
    assert lesson.figures == {"twice": 6.0} and lesson.section == "One"
    assert lesson.problem() == "FAILED in cell second" and (tmp_path / "en" / "x.html").is_file()


def test_what_is_edited_while_a_lesson_runs_is_kept():
    def page(text, *codes, **metadata):
        return notebook(
            cell("text", text, "text", **metadata),
            *(cell("code", one, f"c{i}") for i, one in enumerate(codes)),
        )

    executed = page("old", "1", "2")
    for number, part in enumerate(executed.cells[1:], 1):
        part.outputs, part.execution_count = (
            [nbformat.v4.new_output("stream", text=f"{number}")],
            number,
        )
    stored = run.with_outputs(page("new", "1", "3", slideshow={"slide_type": "slide"}), executed)
    assert stored.cells[0].source == "new" and "slideshow" in stored.cells[0].metadata
    assert stored.cells[1].outputs[0].text == "1" and stored.cells[1].metadata[
        "ran"
    ] == run.source_hash(stored.cells[1])
    assert (
        stored.cells[2].source == "3"
        and stored.cells[2].outputs == []
        and "ran" not in stored.cells[2].metadata
    )


def test_a_stored_figure_has_its_description_and_no_bar():
    part = cell(
        "code",
        "plt.show()",
        "a",
        mystnb={"image": {"alt": "A line that rises from left to right."}},
    )
    part.outputs = [
        nbformat.v4.new_output("stream", name="stderr", text=" 50%|#####     | 1/2"),
        nbformat.v4.new_output("display_data", data={run.WIDGET: {"model_id": "x"}}),
        nbformat.v4.new_output("display_data", data={"image/png": "", "text/plain": "<Figure>"}),
    ]
    [picture] = run.cleaned(part)
    assert picture.metadata["image/png"]["alt"].startswith("A line") and picture.data[
        "text/plain"
    ].startswith("A line")
    part.metadata.pop("mystnb")
    with pytest.raises(SystemExit, match="a: a figure without a description"):
        run.cleaned(part)


# --- data that is not ours ------------------------------------------------------------------------


@pytest.mark.parametrize(("language", "lesson"), BOTH)
def test_no_price_series_is_stored(language, lesson):
    notebook = course.read(language, lesson)
    for cell in code(notebook):
        for output in cell.outputs:
            data = output.get("data", {})
            if "private-figure" in course.tags(cell):
                assert set(data) <= {"image/png", "text/plain"}, cell["id"]
            rows = len(re.findall(r"\b20[0-2]\d-[01]\d-[0-3]\d\b", shown(output)))
            assert rows <= 25, f"{cell['id']} prints {rows} dates"
            if "load_stock" in "".join(part.source for part in code(notebook)):
                for trace in data.get(run.LIVE, {}).get("data", []):
                    dated = re.match(r"\d{4}-\d\d", str(next(iter(trace.get("x", [])), "")))
                    assert not dated or len(json.dumps(trace)) < 20_000, cell["id"]


def test_no_review_is_quoted_at_length():
    """No sixteen words in a row of any of the 25,000 training reviews stand in a notebook."""
    import helpers

    quoted = set()
    for language, lesson in BOTH:
        for part in course.read(language, lesson).cells:
            texts = [part.source, *(shown(output) for output in part.get("outputs", []))]
            words = re.findall(r"\w+", " ".join(texts).lower())
            quoted.update(zip(*(words[i:] for i in range(16)), strict=False))
    starts = {run_of_words[:2] for run_of_words in quoted}
    for text in helpers.load_imdb("train")[0]:
        words = re.findall(r"\w+", text.lower())
        for i, pair in enumerate(zip(words, words[1:], strict=False)):
            if pair in starts:
                assert tuple(words[i : i + 16]) not in quoted, " ".join(words[i : i + 16])


# --- drawings -------------------------------------------------------------------------------------


def test_drawings_are_described_and_used():
    sources = [part.source for lesson in LESSONS for part in code(course.read("en", lesson))]
    used = {name for source in sources for name in re.findall(r'drawing\("([\w-]+)"\)', source)}
    there = {
        path.stem: path.read_text(encoding="utf-8")
        for path in (NOTEBOOKS / "figures").glob("*.svg")
    }
    assert used == set(there)
    identifiers = [name for text in there.values() for name in re.findall(r'\bid="([^"]+)"', text)]
    assert len(identifiers) == len(set(identifiers)), (
        "ids must differ: drawings stand together in one page"
    )
    for name, text in there.items():
        assert len(re.search(r"<title>(.*?)</title>", text, re.S)[1]) > 20, name
        assert "viewBox" in text and "<script" not in text and 'href="http' not in text, name
