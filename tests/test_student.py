"""The student versions: no solution slips out, and the grader tells right, wrong and empty answers apart."""

import csv
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import course
import nbformat
import pytest
import student
from lessons import BOTH, LESSONS, ROOT
from nbclient import NotebookClient


def first_wrong(lesson, exercise):
    file = ROOT / "tests" / "exercises" / f"{lesson}.toml"
    return tomllib.loads(file.read_text(encoding="utf-8"))[exercise]["wrong"][0]["code"]


@pytest.mark.parametrize(("language", "lesson"), BOTH)
def test_no_solution_is_handed_out(language, lesson):
    notebook = course.read(language, lesson)
    groups = course.exercises(notebook).values()
    solutions = [course.solution(help) for *_, help in groups]
    given = student.handed_out(student.assignment(notebook, language))
    for version in (student.without_solutions(notebook), given):
        text = "\n".join(cell.source for cell in version.cells)
        assert not [solution for solution in solutions if solution in text]
        assert student.BEGIN not in text and text.count("<details>") == len(solutions)
    answers = {answer["id"]: answer.source for _, answer, _, _ in groups}
    for cell in given.cells:
        if cell["id"] in answers:
            assert cell.source == f"{answers[cell['id']]}\n{student.STUB}"


def exercise(*ids, help="<details>hint</details>\n<details>\n```python\nn = 3\n```\n</details>"):
    """A notebook with one exercise, its cells named `ids`."""
    title = nbformat.v4.new_markdown_cell("# 00 · Title", id="title")
    task, answer, check, helps = ids
    cells = [
        nbformat.v4.new_markdown_cell("### Exercise", id=task),
        nbformat.v4.new_code_cell("n = ...", id=answer),
        nbformat.v4.new_code_cell('@check(1, "n")\ndef _(n):\n    yield n == 3, ""', id=check),
        nbformat.v4.new_markdown_cell(help, id=helps),
    ]
    return nbformat.v4.new_notebook(cells=[title, *cells])


GOOD = ("ex1-task", "ex1", "ex1-check", "ex1-help")


@pytest.mark.parametrize(
    ("notebook", "says"),
    [
        (exercise("a", "b", "c", "9f2e"), "00, cell c: it holds a check or a solution"),
        (exercise(*GOOD[:3], "9f2e"), "00, cell 9f2e: it holds a check or a solution"),
        (exercise("ex1", "ex1-task", *GOOD[2:]), "00, exercise ex1: has the cells"),
        (exercise(*GOOD, help="<details>\nn = 3\n</details>"), "00, cell ex1-help: no ```python"),
        (
            exercise(*GOOD, help="<details>\n```python\nn = 3\n```\n</details>"),
            "00, cell ex1-help: two <details>",
        ),
    ],
)
def test_a_solution_under_another_name_cannot_slip_out(notebook, says):
    with pytest.raises(course.Problem, match=re.escape(says)):
        student.assignment(notebook, "en", "00")


def test_cells_that_an_exercise_needs_are_found():
    cell = lambda source, name: nbformat.v4.new_code_cell(source, id=name)  # noqa: E731
    notebook = nbformat.v4.new_notebook(
        cells=[
            cell("import numpy as np", "imports"),
            cell("x = np.ones(3)", "made"),
            cell("x = x + 1", "again"),
            cell("y = 2", "other"),
            cell("x[0] = 5\nfor y in x:\n    print(y)", "changed"),
            cell("def g(n):\n    return [x for x in range(n)]", "g"),
            cell("def f():\n    y = 3\n    return g(y)", "f"),
        ]
    )
    needed = lambda code: [part["id"] for part in student.needed(notebook, [code])]  # noqa: E731
    assert needed("np.sum(x)") == ["made", "again", "changed"]
    assert needed("f()") == ["g", "f"] and needed("x = 1\nprint(x)") == []


@pytest.mark.parametrize("lesson", LESSONS)
def test_the_grader_tells_right_wrong_and_empty_apart(lesson):
    """By nbgrader's rule: a point for each graded cell that runs without an error. All answers in one kernel, to save time."""
    source = student.assignment(course.read("en", lesson), "en")
    empty = student.handed_out(source)
    cells = {cell["id"]: cell for cell in source.cells}
    points = {"empty": [], "wrong": [], "right": []}
    plan = [
        cell
        for cell in source.cells
        if cell.cell_type == "code" and not re.match(r"ex\d", cell["id"])
    ]
    for answer in [cell for cell in empty.cells if re.fullmatch(r"ex\d+", cell["id"])]:
        name = answer["id"]
        wrong = f"{answer.source}\n{first_wrong(lesson, name)}"
        for kind, code in (
            ("empty", answer.source),
            ("wrong", wrong),
            ("right", cells[name].source),
        ):
            check = nbformat.v4.new_code_cell(cells[f"{name}-check"].source)
            points[kind].append(check)
            plan += [nbformat.v4.new_code_cell(code), check]
    trial = nbformat.v4.new_notebook(cells=plan, metadata=source.metadata)
    NotebookClient(trial, timeout=600, kernel_name="python3", allow_errors=True).execute()
    for cell in trial.cells:
        if cell["id"] in cells:
            assert not [output for output in cell.outputs if output.output_type == "error"], (
                f"{cell['id']}: {cell.outputs}"
            )
    gained = {
        kind: sum(all(o.output_type != "error" for o in cell.outputs) for cell in cells)
        for kind, cells in points.items()
    }
    assert gained == {"empty": 0, "wrong": 0, "right": len(points["right"])}
    assert all("waiting for your answer" in cell.outputs[-1].evalue for cell in points["empty"])


def test_nbgrader_itself_grades_three_submissions(tmp_path):
    """nbgrader's own commands on one lesson (`make test-site` installs nbgrader; `make test` alone runs the tests above)."""
    pytest.importorskip("nbgrader", reason="installed by `make test-site`")
    lesson = "05_tokenization"
    source = student.assignment(course.read("en", lesson), "en")
    config = student.CONFIG.format(language="en", stub=student.STUB)
    (tmp_path / "nbgrader_config.py").write_text(config, encoding="utf-8")
    place = tmp_path / "source" / lesson
    place.mkdir(parents=True)
    nbformat.write(source, place / f"{lesson}.ipynb")

    def nbgrader(*arguments):
        programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # nbgrader starts alembic
        environment = {
            **os.environ,
            "PATH": programs,
            "JUPYTER_CONFIG_DIR": str(tmp_path / "jupyter"),
        }
        command = [sys.executable, "-m", "nbgrader", *arguments]
        result = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True
        )
        assert result.returncode == 0, result.stderr[-3000:]

    nbgrader("generate_assignment", lesson, "--create")
    released = nbformat.read(tmp_path / "release" / lesson / f"{lesson}.ipynb", as_version=4)
    ours = student.handed_out(source)
    assert [cell.source for cell in released.cells] == [cell.source for cell in ours.cells]
    answers = {cell["id"]: cell.source for cell in source.cells}
    for name in ("right", "wrong", "empty"):
        work = nbformat.from_dict(released)
        for cell in work.cells:
            if re.fullmatch(r"ex\d+", cell["id"]) and name != "empty":
                cell.source = (
                    answers[cell["id"]]
                    if name == "right"
                    else f"{cell.source}\n{first_wrong(lesson, cell['id'])}"
                )
        folder = tmp_path / "submitted" / name / lesson
        folder.mkdir(parents=True)
        nbformat.write(work, folder / f"{lesson}.ipynb")
    nbgrader("autograde", lesson, "--create")
    nbgrader("export")
    with open(tmp_path / "grades.csv", encoding="utf-8") as file:
        scores = {
            row["student_id"]: (float(row["score"]), float(row["max_score"]))
            for row in csv.DictReader(file)
        }
    most = float(len(course.exercises(course.read("en", lesson))))
    assert scores == {"right": (most, most), "wrong": (0, most), "empty": (0, most)}
