"""What tools and tests share: folders, the list of lessons, notebooks, the cells of exercises."""

import json
import re
import tomllib
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "build"
NOTEBOOKS = ROOT / "notebooks"
LANGUAGES = ("en", "ko")


class Problem(SystemExit):
    """What a person must put right: the message names file, cell and remedy; a tool ends with it."""


# --- lessons --------------------------------------------------------------------------------------


def lessons(root=ROOT):
    """{name: what notebooks/lessons.toml says}, such as "05_tokenization", in order."""
    return tomllib.loads((root / "notebooks" / "lessons.toml").read_text(encoding="utf-8"))


def chosen(names, root=ROOT):
    """The lessons whose names begin with one of `names`, such as "05", in order; all for no names."""
    known = list(lessons(root))
    for name in names:
        if not any(lesson.startswith(name) for lesson in known) or not name:
            raise Problem(f"There is no lesson {name!r}. The lessons are: {', '.join(known)}")
    return [lesson for lesson in known if not names or lesson.startswith(tuple(names))]


def path(language, lesson, root=ROOT):
    return root / "notebooks" / language / f"{lesson}.ipynb"


# --- notebooks ------------------------------------------------------------------------------------


def named(file, cell=None):
    """How messages name a file, and a cell in it."""
    file = file.relative_to(ROOT).as_posix() if file.is_relative_to(ROOT) else file
    return f"{file}, cell {cell}" if cell else str(file)


def load(file):
    """A notebook; Problem if it is missing, is no JSON, has a merge conflict or two cells of one id."""
    if not file.is_file():
        raise Problem(f"{named(file)} is missing.")
    text, cell = file.read_text(encoding="utf-8"), None
    for number, line in enumerate(text.splitlines(), 1):
        found = re.match(r'\s*"id": "([^"]*)"', line)
        cell = found[1] if found else cell
        if re.match(r"<<<<<<< |>>>>>>> ", line):
            where = f"{named(file, cell)} (line {number})"
            raise Problem(f"{where}: a merge conflict. Keep one side, and delete the three marks.")
    try:
        ids = [cell.get("id") for cell in json.loads(text)["cells"]]
    except (ValueError, KeyError, AttributeError) as error:
        raise Problem(f"{named(file)} is not a notebook: {error}") from None
    for number, name in enumerate(ids):
        if not name:
            raise Problem(f"{named(file)}: cell {number} has no id. Save it with JupyterLab 4.")
        if name in ids[:number]:
            raise Problem(f"{named(file, name)}: two cells have this id. Give the new one another.")
    return nbformat.reads(text, as_version=4)


def read(language, lesson, root=ROOT):
    return load(path(language, lesson, root))


def write(notebook, file):
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")


def heading(notebook):
    """A lesson's title with its number: the first line of its first cell."""
    return notebook.cells[0].source.splitlines()[0].removeprefix("# ")


def tags(cell):
    return set(cell.metadata.get("tags", []))


def python(source):
    """The source of a code cell as Python can parse it: lines for IPython are passed over."""
    return re.sub(r"^(\s*)[!%].*$", r"\1pass", source, flags=re.M)


# --- exercises ------------------------------------------------------------------------------------


def exercises(notebook, lesson=""):
    """{"ex1": (task, answer, check, help)}; Problem if one of the four is missing or misnamed."""
    cells = {cell["id"]: cell for cell in notebook.cells}
    found = {}
    for name, cell in cells.items():
        kind = re.fullmatch(r"(ex\d+|investigate)(-task|-check|-help)?", name)
        if kind and kind[1] != "investigate":
            found.setdefault(kind[1], []).append(name)
        elif not kind and re.search(r"^@check\(|<details>.*```python", cell.source, re.M | re.S):
            rule = "so its id must be exN-check or exN-help (N: the exercise's number)"
            raise Problem(f"{lesson}, cell {name}: it holds a check or a solution, {rule}.")
    for name, parts in found.items():
        wanted = [f"{name}-task", name, f"{name}-check", f"{name}-help"]
        if parts != wanted:
            there, rule = ", ".join(parts), ", ".join(wanted)
            raise Problem(f"{lesson}, exercise {name}: has the cells {there}; it needs {rule}.")
    return {name: tuple(cells[part] for part in parts) for name, parts in found.items()}


def solution(cell, lesson=""):
    """The last python block of an exercise's help cell: its solution, as the tests run it."""
    blocks = re.findall(r"```python\n(.*?)```", cell.source, re.S)
    if not blocks:
        raise Problem(f"{lesson}, cell {cell['id']}: no ```python block holds the solution.")
    return blocks[-1].rstrip()
