"""Student versions, generated from the lessons so that they cannot drift.

    python tools/student.py          build/student
    python tools/student.py 05       only these lessons

    lessons/{en,ko}/NN_name.ipynb                  the whole lesson; of the solutions only the hints
    assignments/{en,ko}/NN_name.ipynb              the exercises and the cells that they need
    nbgrader/{en,ko}/source/NN_name/NN_name.ipynb  the same with solutions, as nbgrader wants it

A check of a lesson prints a sentence and never stops the notebook; in an assignment it raises as
well, so that a grader sees it.
"""

import argparse
import ast
import builtins
import copy
import re
import shutil
import symtable

import nbformat
from course import (
    BUILD,
    LANGUAGES,
    Problem,
    chosen,
    exercises,
    heading,
    python,
    read,
    solution,
    write,
)
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from pages import without_badges

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
STUB = "# Replace the ... above with your answer."
GIVEN = ("setup", "imports")
CHECK = """# A check that is not passed raises an error here, so that the grader sees it.
import contextlib
import io

import helpers


def check(*question):
    def run(tests):
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            helpers.check(*question)(tests)
        said = said.getvalue().strip()
        assert said.endswith(f": {helpers._say('correct.')}"), said
        print(said)

    return run"""
CONFIG = """c = get_config()
c.CourseDirectory.course_id = "rnn-course-{language}"
c.ClearSolutions.code_stub = {{"python": "{stub}"}}
c.ExecutePreprocessor.timeout = 600
"""
WORDS = {
    "en": (
        "Exercises",
        "Replace the `...`, run your cell, then the check. Each *correct* is one point.",
    ),
    "ko": (
        "연습 문제",
        "`...`을 답으로 바꿔 실행한 뒤 확인 셀을 실행하세요. *정답입니다*가 나올 때마다 1점입니다.",
    ),
}


# --- which cells an exercise needs ----------------------------------------------------------------


def base(node):
    """The name at the left of `name.a[b].c(...)`."""
    while isinstance(node, (ast.Attribute, ast.Subscript, ast.Call)):
        node = node.func if isinstance(node, ast.Call) else node.value
    return getattr(node, "id", None)


def uses(source):
    """What code needs from the cells before it, what it defines, and what it changes."""
    needs, makes, changes = set(), set(), set()
    for statement in ast.parse(python(source)).body:
        tables = [symtable.symtable(ast.unparse(statement), "cell", "exec")]
        made = {s.get_name() for s in tables[0].get_symbols() if s.is_assigned() or s.is_imported()}
        own = makes if isinstance(statement, ast.Assign) else makes | made  # x = f(x) needs x
        for table in tables:
            tables += table.get_children()
            read = (s for s in table.get_symbols() if s.is_global() and s.is_referenced())
            needs |= {s.get_name() for s in read} - own - set(dir(builtins))
        makes |= made
        if not isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
            parts = list(ast.walk(statement))
            calls = [node.value for node in parts if isinstance(node, ast.Expr)]
            parts = [node for node in parts if isinstance(getattr(node, "ctx", None), ast.Store)]
            parts += [call.func for call in calls if isinstance(call, ast.Call)]
            changes |= {base(node) for node in parts if not isinstance(node, ast.Name)}
    return needs, makes, changes


def needed(notebook, sources):
    """The code cells, besides setup and exercises, that code in `sources` depends on."""
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    given = set().union(*(uses(cell.source)[1] for cell in cells if cell["id"] in GIVEN))
    names, found = uses("\n".join(sources))[0] - given, []
    for cell in reversed(cells):
        if cell["id"] in GIVEN or re.match(r"ex\d|investigate", cell["id"]):
            continue
        needs, makes, changes = uses(cell.source)
        if (makes | changes) & names:
            found.insert(0, cell)
            names = (names - makes) | (needs - given)
    return found


# --- the versions ---------------------------------------------------------------------------------


def hint(cell, lesson=""):
    """The help cell without its solution: the first of its two <details>."""
    parts = re.findall(r"<details>.*?</details>", cell.source, re.S)
    if len(parts) < 2:
        raise Problem(f"{lesson}, cell {cell['id']}: two <details> are needed, hint and solution.")
    return parts[0]


def without_solutions(notebook, lesson=""):
    """The whole lesson; of each help cell only the hint stays, of the open exercise nothing."""
    result = copy.deepcopy(notebook)
    helps = {group[3]["id"] for group in exercises(notebook, lesson).values()}
    result.cells = [cell for cell in result.cells if cell["id"] != "investigate-help"]
    for cell in result.cells:
        if cell["id"] in helps:
            cell.source = hint(cell, lesson)
        for ours in ("translation_of", "made", "ran"):
            cell.metadata.pop(ours, None)
    return result


def graded(cell, kind="fixed"):
    """`cell` with the metadata by which nbgrader knows what it is: fixed, an answer or a check."""
    solution, grade = kind == "answer", kind == "check"
    known = {
        "schema_version": 3,
        "grade_id": cell["id"],
        "cell_type": cell.cell_type,
        "task": False,
    }
    known |= {"grade": grade, "solution": solution, "locked": not solution}
    cell.metadata = {"nbgrader": known | ({"points": 1} if grade else {})}
    return cell


def assignment(notebook, language, lesson=""):
    """The exercises of a lesson as nbgrader's source version, with solutions."""
    (title, words), sources, tasks = WORDS[language], [], []
    for task, answer, check, help in exercises(notebook, lesson).values():
        solved, text = solution(help, lesson), f"{task.source}\n\n{hint(help, lesson)}"
        sources += [answer.source, solved, check.source]
        code = f"{answer.source}\n{BEGIN}\n{solved}\n{END}"
        tasks += [
            graded(new_markdown_cell(text, id=task["id"])),
            graded(new_code_cell(code, id=answer["id"]), "answer"),
            graded(new_code_cell(check.source, id=check["id"]), "check"),
        ]
    before = [new_markdown_cell(f"# {title} · {heading(notebook)}\n\n{words}", id="title")]
    given = [cell for cell in notebook.cells if cell["id"] in GIVEN]
    for cell in [*given, new_code_cell(CHECK, id="grading"), *needed(notebook, sources)]:
        before.append(new_code_cell(cell.source, id=cell["id"]))
    return new_notebook(cells=[*map(graded, before), *tasks], metadata=notebook.metadata)


def handed_out(source):
    """The student version of an assignment: nbgrader's, without its checksums."""
    result = copy.deepcopy(source)
    for cell in result.cells:
        cell.source = re.sub(rf"^{BEGIN}$.*?^{END}$", STUB, cell.source, flags=re.M | re.S)
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("lessons", nargs="*")
    names, target = chosen(parser.parse_args().lessons), BUILD / "student"
    versions = {}
    for language, lesson in ((language, lesson) for language in LANGUAGES for lesson in names):
        notebook, file = read(language, lesson), f"{lesson}.ipynb"
        notebook.cells[0].source = without_badges(notebook.cells[0].source)
        source = assignment(notebook, language, lesson)
        versions[f"lessons/{language}/{file}"] = without_solutions(notebook, lesson)
        versions[f"assignments/{language}/{file}"] = handed_out(source)
        versions[f"nbgrader/{language}/source/{lesson}/{file}"] = source
    shutil.rmtree(target, ignore_errors=True)  # only now: a lesson with a mistake ends before this
    for file, version in versions.items():
        nbformat.validate(version)
        write(version, target / file)
    for language in LANGUAGES:
        config = target / "nbgrader" / language / "nbgrader_config.py"
        config.write_text(CONFIG.format(language=language, stub=STUB), encoding="utf-8")
    print(f"build/student: {', '.join(sorted(path.name for path in target.iterdir()))}")


if __name__ == "__main__":
    main()
