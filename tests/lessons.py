"""How the tests reach into the lessons: which there are, and the functions that their cells define."""

import contextlib
import io
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = ROOT / "notebooks"
ENGLISH = sorted((NOTEBOOKS / "en").glob("*.ipynb"))


def cells(lesson, language="en"):
    """{id: cell} of one lesson, in order."""
    notebook = nbformat.read(NOTEBOOKS / language / f"{lesson}.ipynb", as_version=4)
    return {cell["id"]: cell for cell in notebook.cells}


def define(lesson, *ids):
    """Run the cell `setup` and then the cells `ids` of a lesson, and return the names that they define."""
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell.instance()
    namespace, found = {"get_ipython": lambda: shell}, cells(lesson)
    for name in ("setup", *ids):
        code = shell.transform_cell(found[name].source)
        with contextlib.redirect_stdout(io.StringIO()):
            exec(compile(code, f"{lesson}:{name}", "exec"), namespace)
    return namespace
