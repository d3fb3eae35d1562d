"""What every notebook keeps: its parts, its two languages in step, its stored outputs, its exercises."""

import json
import re
import shutil
import subprocess
import sys
import tomllib

import nbformat
import pytest
from lessons import ENGLISH, NOTEBOOKS, ROOT
from nbclient import NotebookClient

sys.path.insert(0, str(ROOT / "tools"))
import run  # noqa: E402
import stamp  # noqa: E402
import sync  # noqa: E402

LESSONS = [path.stem for path in ENGLISH]
BOTH = [f"{language}/{name}" for language in ("en", "ko") for name in LESSONS]
EXPECTED = tomllib.loads((ROOT / "tests" / "expected.toml").read_text(encoding="utf-8"))


def load(name):
    return nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4)


def of_kind(notebook, kind):
    return [cell for cell in notebook.cells if cell.cell_type == kind]


def test_there_are_lessons():
    assert LESSONS[:2] == ["01_rnn_intro", "02_simplernn_sine"]
    assert sorted(path.stem for path in (NOTEBOOKS / "ko").glob("*.ipynb")) == LESSONS


# --- parts ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", BOTH)
def test_parts_of_a_lesson(name):
    notebook = load(name)
    title, setup = notebook.cells[:2]
    language, lesson = name.split("/")
    other = "ko" if language == "en" else "en"
    headings = [
        line
        for cell in of_kind(notebook, "markdown")
        for line in _prose(cell.source).splitlines()
        if re.match(r"# ", line)
    ]
    assert len(headings) == 1 and title.source.startswith("# ")
    address = stamp.repository()
    assert (
        f"colab.research.google.com/github/{address}/blob/main/notebooks/{name}.ipynb"
        in title.source
    )
    assert (
        f"mybinder.org/v2/gh/{address}/main?urlpath=lab/tree/notebooks/{name}.ipynb" in title.source
    )
    assert f"(../{other}/{lesson}.ipynb)" in title.source
    assert (
        setup["id"] == "setup"
        and "setup(seed=" in setup.source
        and f"{address}.git" in setup.source
    )
    exercises = _exercises(notebook)
    assert 3 <= len(exercises) <= 6
    assert len(notebook.cells) == len({cell["id"] for cell in notebook.cells})


def _prose(markdown):
    return re.sub(r"```.*?```", "", markdown, flags=re.S)


def _exercises(notebook):
    ids = [cell["id"] for cell in notebook.cells]
    names = sorted({name.split("-")[0] for name in ids if re.match(r"ex\d+", name)})
    for name in names:
        assert [i for i in ids if i.split("-")[0] == name] == [
            f"{name}-task",
            name,
            f"{name}-check",
            f"{name}-help",
        ]
    return names


@pytest.mark.parametrize("name", LESSONS)
def test_no_code_of_the_house_in_a_lesson(name):
    for cell in of_kind(load(f"en/{name}"), "code"):
        assert "RNN_FAST" not in cell.source and "global " not in cell.source, cell["id"]


def test_links_between_notebooks_lead_somewhere():
    lessons = set(LESSONS) | {
        "07_imdb_without_glove",
        "08_imdb_with_glove",
        *(f"0{n}" for n in range(9)),
    }
    for name in BOTH:
        for cell in of_kind(load(name), "markdown"):
            for target in re.findall(r"\]\(((?:\.\./(?:en|ko)/)?[\w-]+)\.ipynb\)", cell.source):
                assert target.rsplit("/", 1)[-1] in lessons, (name, target)


@pytest.mark.parametrize("name", BOTH)
def test_citations_have_one_form(name):
    """Further reading: author (year), *title*. Links lead to https addresses or to other lessons."""
    cells = of_kind(load(name), "markdown")
    reading = [
        cell.source
        for cell in cells
        if re.search(r"^\*\*(Further reading|더 읽을거리)\*\*$", cell.source, re.M)
    ]
    assert len(reading) == 1
    items = (
        re.split(r"\*\*(?:Further reading|더 읽을거리)\*\*\n+", reading[0])[1]
        .split("\n\n")[0]
        .splitlines()
    )
    assert len(items) >= 2
    for item in items:
        assert re.match(r"- [^()*]+ \((?:18|19|20)\d\d\), \*[^*]+\*", item), item
    for cell in cells:
        for target in re.findall(r"\]\(([^)]*)\)", _prose(cell.source)):
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
        text = "\n\n".join(cell.source for cell in load(f"en/{lesson}").cells)
        (tmp_path / f"{lesson}.txt").write_text(text, encoding="utf-8")
    codespell = [sys.executable, "-m", "codespell_lib", "--toml", ROOT / "pyproject.toml", tmp_path]
    result = subprocess.run(codespell, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr


# --- two languages --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lesson", LESSONS)
def test_languages_are_in_step(lesson):
    english, korean = load(f"en/{lesson}"), load(f"ko/{lesson}")
    result, stale = sync.synced(english, korean)
    assert not stale, f"translate again: {stale}"
    assert result == korean, "run `make sync`"


@pytest.mark.parametrize("lesson", LESSONS)
def test_korean_is_korean(lesson):
    english, korean = load(f"en/{lesson}"), load(f"ko/{lesson}")
    for original, cell in zip(
        of_kind(english, "markdown"), of_kind(korean, "markdown"), strict=True
    ):
        words = re.sub(
            r"\$\$?.*?\$\$?|`[^`]*`|<[^>]+>|\[!?\[?[^\]]*\]\([^)]*\)",
            "",
            _prose(cell.source),
            flags=re.S,
        )
        if len(re.findall(r"[A-Za-z]{3,}", words)) > 3:
            assert len(re.findall("[가-힣]", words)) > len(re.findall("[A-Za-z]", words)) / 4, cell[
                "id"
            ]
        for pattern in (r"```python.*?```", r"!\[[^\]]*\]\(([^)]*)\)"):
            assert re.findall(pattern, original.source, re.S) == re.findall(
                pattern, cell.source, re.S
            ), cell["id"]


def test_sync_copies_code_and_finds_what_to_translate():
    english = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_markdown_cell("Hello", id="a"),
            nbformat.v4.new_code_cell("1", id="b"),
        ]
    )
    korean, stale = sync.synced(english)
    assert stale == ["a"]
    korean.cells[0].source = "안녕하세요"
    sync.accept(english, korean, ["a"])
    assert sync.synced(english, korean)[1] == []
    english.cells[1].source = "2"
    english.cells.append(nbformat.v4.new_markdown_cell("New", id="c"))
    result, stale = sync.synced(english, korean)
    assert [cell.source for cell in result.cells] == ["안녕하세요", "2", "New"] and stale == ["c"]
    english.cells[0].source = "Hello again"
    assert sync.synced(english, korean)[1] == ["a", "c"]


def test_stamp_writes_one_address_everywhere(tmp_path):
    shutil.copytree(NOTEBOOKS, tmp_path / "notebooks")
    shutil.copytree(ROOT / "deploy", tmp_path / "deploy")
    for path in [*ROOT.glob("README*.md"), ROOT / "pyproject.toml"]:
        text = path.read_text(encoding="utf-8")
        (tmp_path / path.name).write_text(
            text.replace(f'github.com/{stamp.repository()}"', 'github.com/someone/my.course"'),
            encoding="utf-8",
        )
    stamp.main(tmp_path)
    for path in [
        *tmp_path.glob("README*.md"),
        *tmp_path.rglob("*.ipynb"),
        *tmp_path.glob("deploy/*.[my]*"),
    ]:
        text = path.read_text(encoding="utf-8")
        assert stamp.repository() not in text, path.name
        assert "someone/my.course" in text, path.name
    for path in (tmp_path / "notebooks" / "en").glob("*.ipynb"):
        english, korean = (
            nbformat.read(tmp_path / "notebooks" / language / path.name, 4)
            for language in ("en", "ko")
        )
        assert sync.synced(english, korean)[1] == []
        assert 'sys.path[:0] = ["../..", "my.course"]' in english.cells[1].source


# --- numbers in the prose --------------------------------------------------------------------------------------------

RESULT = re.compile(  # a decimal, a number with thousands, or a percentage
    r"(?<![\w.,^{-])(\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+\.\d+|\d+(?= ?\\?%))(?!\w|[.,]\d)( ?\\?%)?"
)
CITATION = re.compile(
    r"[A-Z]\w+(?: et al\.)?[^.\n]{0,40}\b(?:19|20)\d\d\b|chapter|교재"
)  # Maas et al. 2011; the lecture chapter behind the course


def _values(text):
    return {
        float(re.sub("[,_]", "", number))
        for number in re.findall(r"\d[\d,_]*(?:\.\d+)?(?:e-?\d+)?", text)
    }


def unbacked_numbers(notebook):
    """(cell, number) for each result-like number in the markdown that neither an exact output (a cell compared by nbval, or a
    recorded figure, which has a range), nor the code, nor a citation in the same cell backs."""
    backing = set(run.figures(notebook).values())
    for cell in of_kind(notebook, "code"):
        backing |= _values(cell.source)
        if "nbval-check-output" in cell.metadata.get("tags", []):
            for output in cell.outputs:
                backing |= _values(
                    output.get("text", "") + str(output.get("data", {}).get("text/plain", ""))
                )
    found = []
    for cell in of_kind(notebook, "markdown"):
        prose = re.sub(r"`[^`]*`|<[^>]+>|\]\([^)]*\)", "", _prose(cell.source))
        for match in RESULT.finditer(prose):
            number, percent = match[1].replace(",", ""), match[2]
            tolerance = 0.5001 * 10.0 ** -len(number.partition(".")[2])
            near = any(
                abs(value * scale - float(number)) <= tolerance
                for value in backing
                for scale in ((1, 100) if percent else (1,))
            )
            if not near and not CITATION.search(prose):
                found.append((cell["id"], match[0]))
    return found


@pytest.mark.parametrize("name", BOTH)
def test_numbers_in_the_prose_are_backed(name):
    assert unbacked_numbers(load(name)) == []


def test_an_unbacked_number_is_found():
    code = nbformat.v4.new_code_cell("n = 1_000", id="a", metadata={"tags": ["nbval-check-output"]})
    code.outputs = [nbformat.v4.new_output("stream", text="0.8862 of 5,528")]
    moving = nbformat.v4.new_code_cell(
        "", id="b", outputs=[nbformat.v4.new_output("stream", text="0.123\n[figure] mse = 0.25\n")]
    )

    def found(prose):
        notebook = nbformat.v4.new_notebook(
            cells=[code, moving, nbformat.v4.new_markdown_cell(prose, id="c")]
        )
        return [number for _, number in unbacked_numbers(notebook)]

    assert (
        found(
            "0.886, 88.6%, 89 %, 5,528 rows, 1,000 words, 0.25; three of 7; `0.5`; Maas in lesson 07"
        )
        == []
    )
    assert found("0.87, 88.7%, 5,529 rows") == ["0.87", "88.7%", "5,529"]
    assert found("It reaches 0.123 here.") == ["0.123"]
    assert found("Maas et al. (2011) report 88.89%.") == []


# --- stored outputs -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", BOTH)
def test_stored_outputs_are_whole(name):
    path = NOTEBOOKS / f"{name}.ipynb"
    notebook = load(name)
    code = of_kind(notebook, "code")
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert path.stat().st_size < 1_500_000
    for cell in code:
        assert not [output for output in cell.outputs if output.output_type == "error"], cell["id"]
        for output in cell.outputs:
            data = output.get("data", {})
            if "image/png" in data:
                assert len(output.metadata.get("image/png", {}).get("alt", "")) > 20, (
                    f"{cell['id']}: no alt text"
                )
            if "application/vnd.plotly.v1+json" in data:
                assert "image/png" in data, f"{cell['id']}: no still picture"
    assert "/root/" not in path.read_text(encoding="utf-8") and "/home/" not in path.read_text(
        encoding="utf-8"
    )


@pytest.mark.parametrize("name", BOTH)
def test_cells_marked_for_comparison_have_text_to_compare(name):
    marked = [
        cell
        for cell in of_kind(load(name), "code")
        if "nbval-check-output" in cell.metadata.get("tags", [])
    ]
    assert marked
    for cell in marked:
        assert cell.outputs, (
            f"{cell['id']} is marked and has no stored output: nbval would pass it silently"
        )
        for output in cell.outputs:
            assert not {"image/png", "application/vnd.plotly.v1+json"} & set(
                output.get("data", {})
            ), cell["id"]


@pytest.mark.parametrize("lesson", LESSONS)
def test_stored_figures_are_in_their_ranges(lesson):
    notebook = load(f"en/{lesson}")
    source = run.sources(notebook)
    assert set(source.values()) <= {"real"}, "stored outputs come from real data"
    rows = run.judge(lesson, run.figures(notebook), source, EXPECTED)
    assert rows and [row for row in rows if row[3] != "ok"] == []


def test_what_is_edited_while_a_lesson_runs_is_kept():
    def notebook(text, *codes, **metadata):
        cells = [nbformat.v4.new_markdown_cell(text, id="text", metadata=metadata)]
        return nbformat.v4.new_notebook(
            cells=cells
            + [nbformat.v4.new_code_cell(code, id=f"c{i}") for i, code in enumerate(codes)]
        )

    executed = notebook("old", "1", "2")
    for number, cell in enumerate(executed.cells[1:], 1):
        cell.outputs, cell.execution_count = (
            [nbformat.v4.new_output("stream", text=f"{number}")],
            number,
        )
    stored = run.with_outputs(
        notebook("new", "1", "3", slideshow={"slide_type": "slide"}), executed
    )
    assert stored.cells[0].source == "new" and "slideshow" in stored.cells[0].metadata
    assert stored.cells[1].outputs[0].text == "1" and stored.cells[1].execution_count == 1
    assert stored.cells[2].source == "3" and stored.cells[2].outputs == []


@pytest.mark.parametrize("lesson", EXPECTED)
def test_expected_ranges_say_why(lesson):
    assert lesson in LESSONS
    for name, rule in EXPECTED[lesson].items():
        assert rule["min"] <= rule["max"] and len(rule["why"]) > 5, name
        assert rule.get("needs") in (None, "stock", "imdb", "glove"), name


def test_a_figure_outside_its_range_is_found():
    expected = {
        "x": {
            "a": {"min": 1, "max": 2, "why": "?"},
            "b": {"min": 0, "max": 1, "why": "?", "needs": "stock"},
        }
    }
    verdicts = lambda found, source: [row[3] for row in run.judge("x", found, source, expected)]  # noqa: E731
    assert verdicts({"a": 1.5, "b": 0.5}, {"stock": "real"}) == ["ok", "ok"]
    assert verdicts({"a": 2.5, "b": 7}, {"stock": "simulated"}) == [
        "OUTSIDE",
        "not judged: stock simulated",
    ]
    assert verdicts({"b": 7, "c": 1}, {"stock": "real"}) == [
        "MISSING",
        "OUTSIDE",
        "NOT IN expected.toml",
    ]


# --- data that is not ours ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lesson", LESSONS)
def test_no_price_series_is_stored(lesson):
    notebook = load(f"en/{lesson}")
    for cell in of_kind(notebook, "code"):
        for output in cell.outputs:
            data = output.get("data", {})
            if output.get("metadata", {}).get("rnn", {}).get("private"):
                assert set(data) <= {"image/png", "text/plain"}, cell["id"]
            rows = len(
                re.findall(
                    r"\b20[0-2]\d-[01]\d-[0-3]\d\b",
                    data.get("text/plain", "") + output.get("text", ""),
                )
            )
            assert rows <= 25, f"{cell['id']} prints {rows} dates"
            if "stock" in run.sources(notebook):
                for trace in data.get("application/vnd.plotly.v1+json", {}).get("data", []):
                    assert (
                        len(json.dumps(trace)) < 20_000 or "x" not in trace or not _dated(trace)
                    ), cell["id"]


def _dated(trace):
    return bool(re.match(r"\d{4}-\d\d", str(next(iter(trace["x"]), ""))))


def test_no_review_is_quoted_at_length():
    """No sixteen words in a row of any of the 25,000 training reviews stand in a notebook."""
    import helpers

    quoted = set()
    for name in BOTH:
        for cell in load(name).cells:
            texts = [cell.source] + [
                output.get("text", "") + str(output.get("data", {}).get("text/plain", ""))
                for output in cell.get("outputs", [])
            ]
            words = re.findall(r"\w+", " ".join(texts).lower())
            quoted.update(zip(*(words[i:] for i in range(16)), strict=False))
    starts = {run_of_words[:2] for run_of_words in quoted}
    for text in helpers.load_imdb("train")[0]:
        words = re.findall(r"\w+", text.lower())
        for i, pair in enumerate(zip(words, words[1:], strict=False)):
            if pair in starts:
                assert tuple(words[i : i + 16]) not in quoted, " ".join(words[i : i + 16])


# --- drawings -------------------------------------------------------------------------------------------------------


def test_drawings_are_described_and_used():
    used = {
        name
        for lesson in LESSONS
        for cell in of_kind(load(f"en/{lesson}"), "code")
        for name in re.findall(r'drawing\("([\w-]+)"\)', cell.source)
    }
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


# --- exercises ------------------------------------------------------------------------------------------------------


def solution(cell):
    """The last python block of an exercise's help cell."""
    return re.findall(r"```python\n(.*?)```", cell.source, re.S)[-1]


@pytest.mark.parametrize("lesson", LESSONS)
def test_exercises_accept_right_and_refuse_wrong_answers(lesson):
    """One execution of the lesson; each exercise is tried as it stands, with every wrong answer, and with its solution."""
    notebook = load(f"en/{lesson}")
    cells = {cell["id"]: cell for cell in notebook.cells}
    wrong = tomllib.loads(
        (ROOT / "tests" / "exercises" / f"{lesson}.toml").read_text(encoding="utf-8")
    )
    exercises = _exercises(notebook)
    assert sorted(wrong) == exercises, "every exercise needs wrong answers"
    tried, plan = [], []
    for cell in of_kind(notebook, "code"):
        if cell["id"] not in exercises:
            if not re.fullmatch(r"ex\d+-check", cell["id"]):
                plan.append(cell)
            continue
        answers = [(cell.source, "waiting for your answer")]
        answers += [(answer["code"], answer["says"]) for answer in wrong[cell["id"]]]
        answers.append((solution(cells[f"{cell['id']}-help"]), "correct."))
        for code, says in answers:
            check = nbformat.v4.new_code_cell(cells[f"{cell['id']}-check"].source)
            tried.append((check, code, says))
            plan += [nbformat.v4.new_code_cell(code), check]
    trial = nbformat.v4.new_notebook(cells=plan, metadata=notebook.metadata)
    NotebookClient(
        trial,
        timeout=600,
        kernel_name="python3",
        resources={"metadata": {"path": str(NOTEBOOKS / "en")}},
    ).execute()
    for check, code, says in tried:
        text = "".join(output.get("text", "") for output in check.outputs)
        assert says in text, f"{code}\n-> {text}"
        assert ("not yet" in text) == (says not in ("correct.", "waiting for your answer")), (
            f"{code}\n-> {text}"
        )
