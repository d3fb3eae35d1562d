"""How the tests reach into the lessons: which there are, and the functions that their cells define."""

import contextlib
import io
import shutil
import subprocess

import course

ROOT = course.ROOT

NOTEBOOKS = ROOT / "notebooks"
LESSONS = list(course.lessons())
ENGLISH = [course.path("en", lesson) for lesson in LESSONS]
BOTH = [(language, lesson) for lesson in LESSONS for language in course.LANGUAGES]


def code(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def markdown(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "markdown"]


def cells(lesson, language="en"):
    """{id: cell} of one lesson, in order."""
    return {cell["id"]: cell for cell in course.read(language, lesson).cells}


def define(lesson, *ids):
    """Run the first two code cells and the cells `ids` of a lesson, and return the names that they define."""
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell.instance()
    namespace, found = {"get_ipython": lambda: shell}, cells(lesson)
    for name in ("setup", "imports", *ids):
        source = shell.transform_cell(found[name].source)
        with contextlib.redirect_stdout(io.StringIO()):
            exec(compile(source, f"{lesson}:{name}", "exec"), namespace)
    return namespace


def bare_repository(folder):
    """A bare repository in `folder` that holds the course as it is now in this working tree; its path."""
    copy, bare = folder / "copy", folder / "rnn-course.git"
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout.decode()
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, copy / name)
    me = ["-c", "user.name=test", "-c", "user.email=test@localhost"]
    for command in (
        ["init", "-q", "-b", "main"],
        ["add", "--all"],
        [*me, "commit", "-q", "-m", "course"],
    ):
        subprocess.run(["git", *command], cwd=copy, check=True)
    subprocess.run(["git", "clone", "--quiet", "--bare", str(copy), str(bare)], check=True)
    return bare
