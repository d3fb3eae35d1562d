"""Student versions, generated from the lessons so that they cannot drift.

    python tools/student.py          build/student
    python tools/student.py 05       only these lessons

    lessons/{en,ko}/NN_name.ipynb                  the whole lesson without solutions; the hints stay
    assignments/{en,ko}/NN_name.ipynb              only the exercises and the cells that they need, to hand out
    nbgrader/{en,ko}/source/NN_name/NN_name.ipynb  the same with solutions, as nbgrader wants it; nbgrader_config.py beside it

In each lesson the cells are named exN-task, exN (to be answered), exN-check and exN-help (hint and solution). A check of a lesson
prints a sentence and never stops the notebook; in an assignment it raises as well, so that a grader sees it.
"""

import ast
import builtins
import copy
import re
import shutil
import sys

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from pages import BUILD, LANGUAGES, heading, lessons, read, without_badges

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
STUB = "# Replace the ... above with your answer."
CHECK = """# A check that is not passed raises an error here, so that the grader sees it.
import contextlib
import io

import helpers


def check(title, *answers):
    def run(tests):
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            helpers.check(title, *answers)(tests)
        assert said.getvalue().rstrip().endswith(f"{title}: correct."), said.getvalue().strip()
        print(said.getvalue().strip())

    return run"""
CONFIG = """c = get_config()
c.CourseDirectory.course_id = "rnn-course-{language}"
c.ClearSolutions.code_stub = {{"python": "{stub}"}}
c.ExecutePreprocessor.timeout = 600
"""
WORDS = {
    "en": (
        "Exercises",
        "Replace the `...`, run your cell, then the check. Each check that says *correct* is worth one point.",
    ),
    "ko": (
        "연습 문제",
        "`...`을 답으로 바꿔 실행한 뒤 확인 셀을 실행하세요. *correct*가 나올 때마다 1점입니다.",
    ),
}


# --- which cells an exercise needs ----------------------------------------------------------------------------------


def plain(source):
    """Cell source that Python can parse: lines for IPython are passed over."""
    return ast.parse(re.sub(r"^(\s*)[!%].*$", r"\1pass", source, flags=re.M))


class Uses(ast.NodeVisitor):
    """What a cell needs from the cells before it (`reads`), defines anew (`assigns`), and changes (`changes`)."""

    def __init__(self, source):
        self.reads, self.assigns, self.changes = set(), set(), set()
        self.visit(plain(source))

    def visit_Name(self, node):
        if isinstance(node.ctx, ast.Load):
            self.reads |= {node.id} - self.assigns - set(dir(builtins))
        else:
            self.assigns.add(node.id)

    def visit_Assign(self, node):  # the right side is computed first
        self.visit(node.value)
        for target in node.targets:
            self.visit(target)
            self.changes.add(base(target))

    def visit_AugAssign(self, node):
        self.visit(node.value)
        self.changes.add(base(node.target))
        if isinstance(node.target, ast.Name):
            self.reads |= {node.target.id} - self.assigns

    def visit_For(self, node):
        for part in (node.iter, node.target, *node.body, *node.orelse):
            self.visit(part)

    def visit_Expr(self, node):
        self.visit(node.value)
        if isinstance(node.value, ast.Call) and not isinstance(node.value.func, ast.Name):
            self.changes.add(base(node.value))

    def visit_alias(self, node):
        self.assigns.add((node.asname or node.name).split(".")[0])

    def _scope(self, node):
        """A function, class or comprehension: its own names do not count."""
        own = {arg.arg for arg in ast.walk(node) if isinstance(arg, ast.arg)}
        names = [name for name in ast.walk(node) if isinstance(name, ast.Name)]
        own |= {name.id for name in names if not isinstance(name.ctx, ast.Load)}
        own |= {
            inner.name
            for inner in ast.walk(node)
            if isinstance(inner, (ast.FunctionDef, ast.ClassDef))
        }
        self.reads |= {name.id for name in names} - own - self.assigns - set(dir(builtins))
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            self.assigns.add(node.name)

    visit_FunctionDef = visit_ClassDef = visit_Lambda = _scope
    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _scope


def base(node):
    """The name at the left of `name.a[b].c(...)`."""
    while isinstance(node, (ast.Attribute, ast.Subscript, ast.Call)):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else None


def needed(notebook, sources):
    """The code cells of a lesson, besides setup and exercises, that code in `sources` depends on."""
    given = Uses(notebook.cells[1].source).assigns
    names = Uses("\n".join(sources)).reads - given
    chosen = []
    for cell in reversed(notebook.cells[2:]):
        if cell.cell_type == "code" and not re.match(r"ex\d", cell["id"]):
            uses = Uses(cell.source)
            if (uses.assigns | uses.changes) & names:
                chosen.insert(0, cell)
                names = (names - uses.assigns) | (uses.reads - given)
    return chosen


# --- the versions ---------------------------------------------------------------------------------------------------


def solution(cell):
    """The last python block of an exercise's help cell."""
    return re.findall(r"```python\n(.*?)```", cell.source, re.S)[-1].rstrip()


def hint(cell):
    """The help cell without its solution: the first <details> only."""
    return re.match(r"<details>.*?</details>", cell.source, re.S)[0]


def exercises(notebook):
    """[(task, answer, check, help)] of a lesson."""
    cells = {cell["id"]: cell for cell in notebook.cells}
    names = sorted({name for name in cells if re.fullmatch(r"ex\d+", name)})
    return [
        tuple(cells[name + part] for part in ("-task", "", "-check", "-help")) for name in names
    ]


def without_solutions(notebook):
    """The whole lesson; of each help cell only the hint stays."""
    result = copy.deepcopy(notebook)
    for cell in result.cells:
        if re.fullmatch(r"ex\d+-help", cell["id"]):
            cell.source = hint(cell)
        cell.metadata.pop("translation_of", None)
    return result


def graded(cell, *, grade=False, solution=False):
    """`cell` with the metadata by which nbgrader knows what it is."""
    cell.metadata = {
        "nbgrader": {
            "grade": grade,
            "grade_id": cell["id"],
            "locked": not solution,
            "schema_version": 3,
            "solution": solution,
            "task": False,
            "cell_type": cell.cell_type,
        }
    }
    if grade:
        cell.metadata["nbgrader"]["points"] = 1
    return cell


def assignment(notebook, language):
    """The exercises of a lesson as nbgrader's source version, with solutions."""
    groups = exercises(notebook)
    sources = [
        text
        for _, answer, check, help in groups
        for text in (answer.source, solution(help), check.source)
    ]
    title, words = WORDS[language]
    first = f"# {title} · {heading(notebook)}\n\n{words}"
    cells = [graded(new_markdown_cell(first, id="title"))]
    cells.append(graded(new_code_cell(notebook.cells[1].source, id="setup")))
    cells.append(graded(new_code_cell(CHECK, id="grading")))
    cells += [
        graded(new_code_cell(cell.source, id=cell["id"])) for cell in needed(notebook, sources)
    ]
    for task, answer, check, help in groups:
        code = f"{answer.source}\n{BEGIN}\n{solution(help)}\n{END}"
        cells += [
            graded(new_markdown_cell(f"{task.source}\n\n{hint(help)}", id=task["id"])),
            graded(new_code_cell(code, id=answer["id"]), solution=True),
            graded(new_code_cell(check.source, id=check["id"]), grade=True),
        ]
    return new_notebook(cells=cells, metadata=notebook.metadata)


def handed_out(source):
    """The student version of an assignment: as `nbgrader generate_assignment` makes it, without its checksums."""
    result = copy.deepcopy(source)
    for cell in result.cells:
        cell.source = re.sub(rf"^{BEGIN}$.*?^{END}$", STUB, cell.source, flags=re.M | re.S)
    return result


def main():
    chosen, target = tuple(sys.argv[1:]), BUILD / "student"
    shutil.rmtree(target, ignore_errors=True)
    for language in LANGUAGES:
        course = target / "nbgrader" / language
        for lesson in lessons():
            if chosen and not lesson.startswith(chosen):
                continue
            notebook = read(language, lesson)
            notebook.cells[0].source = without_badges(notebook.cells[0].source)
            source = assignment(notebook, language)
            for path, version in (
                (target / "lessons" / language / f"{lesson}.ipynb", without_solutions(notebook)),
                (target / "assignments" / language / f"{lesson}.ipynb", handed_out(source)),
                (course / "source" / lesson / f"{lesson}.ipynb", source),
            ):
                path.parent.mkdir(parents=True, exist_ok=True)
                nbformat.validate(version)
                path.write_text(nbformat.writes(version) + "\n", encoding="utf-8")
        (course / "nbgrader_config.py").write_text(
            CONFIG.format(language=language, stub=STUB), encoding="utf-8"
        )
    print(f"build/student: {', '.join(sorted(path.name for path in target.iterdir()))}")


if __name__ == "__main__":
    main()
