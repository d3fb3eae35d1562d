"""Every cell runs twice, and every exercise tells right answers from wrong ones.

A class for each lesson, so that two workers share the lessons: `pytest -k "exercises and 05"`.
"""

import tomllib

import course
import nbformat
from lessons import LESSONS, NOTEBOOKS, ROOT, code
from nbclient import NotebookClient


def try_lesson(lesson):
    """One kernel: each cell twice in a row, all cells once more, then each exercise as it stands, with every right and every
    wrong answer, and with its solution."""
    notebook = course.read("en", lesson)
    answers = tomllib.loads(
        (ROOT / "tests" / "exercises" / f"{lesson}.toml").read_text(encoding="utf-8")
    )
    exercises = course.exercises(notebook, lesson)
    assert sorted(answers) == sorted(exercises), "every exercise needs right and wrong answers"
    cells = code(notebook)
    plan, tried = [cell for one in cells for cell in (one, one)] + cells, []
    for name, (_, stub, check, help) in exercises.items():
        right, wrong = answers[name]["right"], answers[name]["wrong"]
        assert len(right) >= 6 and len(wrong) >= 8, (
            f"{name}: {len(right)} right and {len(wrong)} wrong answers"
        )
        trials = [
            (stub.source, "waiting for your answer"),
            (course.solution(help, lesson), "correct."),
        ]
        trials += [(answer["code"], "correct.") for answer in right]
        trials += [(answer["code"], answer["says"]) for answer in wrong]
        for source, says in trials:
            tried.append((name, nbformat.v4.new_code_cell(check.source), source, says))
            plan += [nbformat.v4.new_code_cell(source), tried[-1][1]]
    plan = [
        nbformat.v4.new_code_cell(cell.source) if "outputs" in cell and cell in cells else cell
        for cell in plan
    ]
    trial = nbformat.v4.new_notebook(cells=plan, metadata=notebook.metadata)
    where = {"metadata": {"path": str(NOTEBOOKS / "en")}}
    NotebookClient(
        trial, timeout=600, kernel_name="python3", resources=where, coalesce_streams=True
    ).execute()
    for name, check, source, says in tried:
        text = "".join(output.get("text", "") for output in check.outputs)
        assert says in text, f"{lesson}, {name}: wanted {says!r}\n{source}\n-> {text}"
        right = says in ("correct.", "waiting for your answer")
        assert ("not yet" in text) != right, f"{lesson}, {name}\n{source}\n-> {text}"


for lesson in LESSONS:
    name = f"Test_{lesson}"
    test = {"test_exercises_and_cells_run_twice": lambda self, lesson=lesson: try_lesson(lesson)}
    globals()[name] = type(name, (), test)
