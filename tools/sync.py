"""Keep the Korean notebooks in step with the English ones.

    python tools/sync.py                      do what can be done, and list what to translate
    python tools/sync.py 02                   only this lesson
    python tools/sync.py --check              change nothing; fail when something is out of step
    python tools/sync.py --accept 02_simplernn_sine windows-toy
                                              the Korean text of this cell now matches its English original
    python tools/sync.py --drop               also where Korean text would be lost

A Korean notebook has the same cells with the same ids. Its markdown is written by a person; the cell's metadata holds the hash
of the English cell that it translates. Its code is the English code with other words: `notebooks/words/NN_name.po` (and
`common.po` for all lessons) gives for each string, docstring and comment, and for the descriptions of figures and the texts of
drawings, what stands there in Korean. New entries are added without a translation. A tag `hide-input` folds a cell everywhere.
"""

import argparse
import ast
import copy
import hashlib
import io
import itertools
import re
import subprocess
import sys
import tokenize
import unicodedata
from xml.sax.saxutils import escape, unescape

import nbformat
import polib
from course import NOTEBOOKS, ROOT, Problem, chosen, named, path, python, read, tags

WORDS = NOTEBOOKS / "words"
FIGURES = NOTEBOOKS / "figures"
ADDRESS = re.compile(  # the repository's, which `tools/stamp.py` may change
    r"(github\.com/|/github/|/gh/)[\w.-]+/[\w.-]+?(?=\.git\b|\.?(?:[^\w.-]|$))"
)
LITERAL = re.compile(r"""([rbfuRBFU]*)(\"{3}|'{3}|"|')((?:\\.|(?!\2).)*?)\2""", re.S)
PLACEHOLDER = re.compile(r"\{\{|\}\}|\{(?:[^{}]|\{[^{}]*\})*\}")
COLUMNS = 80


def digest(text):
    """The hash of a cell, whatever the repository's address in it."""
    return hashlib.sha256(ADDRESS.sub("", text).encode()).hexdigest()[:16]


# --- words in code --------------------------------------------------------------------------------


class Words:
    """The catalogue of one lesson: what stands in Korean where English stands in its code and drawings."""

    def __init__(self, lesson, folder=WORDS):
        self.file = folder / f"{lesson}.po"
        self.own = (
            polib.pofile(str(self.file), wrapwidth=0)
            if self.file.exists()
            else polib.POFile(wrapwidth=0)
        )
        common = polib.pofile(str(folder / "common.po")) if (folder / "common.po").exists() else []
        self.korean = {
            (entry.msgctxt, entry.msgid): entry.msgstr
            for entry in [*common, *self.own]
            if not entry.obsolete
        }
        self.used, self.missing = set(), []

    def __call__(self, text, cell):
        """The Korean of `text`; the text itself where nobody has translated it."""
        if not re.search(r"[^\W\d_]{2}", PLACEHOLDER.sub("", text)) or re.fullmatch(
            r"\d\d-[\w-]+", text
        ):
            return text  # no word: a format, a mark, a colour; or the name of a drawing
        for key in ((cell, text), (None, text)):
            if self.korean.get(key):
                self.used.add(key)
                return self.korean[key]
        if text not in [missing for _, missing in self.missing]:
            self.missing.append((cell, text))
        return text

    def save(self):
        """Add what is missing, drop what no cell uses any more."""
        there = {(entry.msgctxt, entry.msgid) for entry in self.own}
        for cell, text in self.missing:
            if (None, text) not in there:
                self.own.append(polib.POEntry(msgid=text, comment=f"cell {cell}"))
        wanted = self.used | {(None, text) for _, text in self.missing}
        for entry in [entry for entry in self.own if (entry.msgctxt, entry.msgid) not in wanted]:
            self.own.remove(entry)
        self.own.metadata = {"Language": "ko", "Content-Type": "text/plain; charset=UTF-8"}
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self.own.save(str(self.file))


def spans(source):
    """(start, end, what) of every string, implicit concatenations as one, and of every comment in Python code."""
    lines = source.splitlines(keepends=True)
    starts = [0, *itertools.accumulate(map(len, lines))]
    found, inside = [], set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.JoinedStr):  # what stands in its braces belongs to it
            inside |= {id(child) for child in ast.walk(node)} - {id(node)}
        text = isinstance(node, ast.JoinedStr) or isinstance(getattr(node, "value", None), str)
        if text and isinstance(node, (ast.JoinedStr, ast.Constant)) and id(node) not in inside:
            ends = (
                (node.lineno, node.col_offset),
                (node.end_lineno, node.end_col_offset),
            )  # columns count bytes
            place = [
                starts[line - 1] + len(lines[line - 1].encode()[:column].decode())
                for line, column in ends
            ]
            found.append((*place, "string"))
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            place = [starts[line - 1] + column for line, column in (token.start, token.end)]
            found.append((*place, "comment"))
    return sorted(found)


def width(text):
    """Columns of a text on a screen: a syllable of Hangul takes two."""
    return sum(1 + (unicodedata.east_asian_width(letter) in "WF") for letter in text)


def in_korean(source, words, cell):
    """English code with Korean words; long strings are wrapped at 80 columns. `ruff format` does the rest."""
    ipython = []

    def keep(found):
        ipython.append(found[2])
        return f"{found[1]}IPYTHON_{len(ipython) - 1}_"

    code = re.sub(r"^(\s*)([!%].*)$", keep, source, flags=re.M)
    for start, end, what in reversed(spans(code)):
        old = code[start:end]
        new = words(old, cell) if what == "comment" else _string(old, words, cell, code[:start])
        code = code[:start] + new + code[end:]
    return re.sub(r"IPYTHON_(\d+)_", lambda found: ipython[int(found[1])], code)


def _string(segment, words, cell, before):
    pieces = LITERAL.findall(segment)
    prefix, quote, body = pieces[0]
    if len(quote) == 3 or "r" in prefix.lower():
        return f"{prefix}{quote}{words(body, cell)}{quote}"
    prefix = "f" if any("f" in one for one, _, _ in pieces) else ""
    doubled = [(one, body.replace("{", "{{").replace("}", "}}")) for one, _, body in pieces]
    plain = [body for _, _, body in pieces]
    bodies = [
        two if prefix and "f" not in one else body
        for (one, two), body in zip(doubled, plain, strict=True)
    ]
    english = "".join(bodies)
    korean = words(english, cell)
    if korean == english:
        return segment
    line = before[before.rfind("\n") + 1 :]
    room = COLUMNS - 4 - len(prefix) - (len(line) - len(line.lstrip())) - (4 if line.strip() else 0)
    lines = [""]
    for word in re.findall(rf"(?:{PLACEHOLDER.pattern}|\S)+\s*|\s+", korean):
        if lines[-1] and width(lines[-1] + word.rstrip()) > room:
            lines.append("")
        lines[-1] += word
    text = "\n".join(f"{prefix}{quote}{one}{quote}" for one in lines)
    depth = sum(before.count(mark) for mark in "([{") - sum(before.count(mark) for mark in ")]}")
    return text if depth > 0 or len(lines) == 1 else f"({text})"


def same_code(english, korean):
    """Whether two cells hold the same code but for the words: their strings are taken out, not what is in their braces."""

    def without_words(source):
        tree = ast.parse(python(source))
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                node.value = ""
            if isinstance(node, ast.JoinedStr):
                node.values = sorted(
                    (part for part in node.values if isinstance(part, ast.FormattedValue)),
                    key=ast.dump,
                )
        return ast.dump(tree)

    return without_words(english) == without_words(korean)


# --- notebooks ------------------------------------------------------------------------------------


def folded(notebook):
    """Set the metadata by which JupyterLab and Colab fold a cell from its tag `hide-input`, which the site reads."""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            jupyter = {
                key: value
                for key, value in cell.metadata.pop("jupyter", {}).items()
                if key != "source_hidden"
            }
            cell.metadata.pop("cellView", None)
            if "hide-input" in tags(cell):
                cell.metadata["cellView"], jupyter["source_hidden"] = "form", True
            if jupyter:
                cell.metadata["jupyter"] = jupyter
    return notebook


def synced(english, korean, words, drop=False, file="the Korean notebook"):
    """The Korean notebook that belongs to `english`, and the ids of its text cells that are still to translate.

    Problem where something that a person wrote in Korean would be lost, unless `drop`.
    """
    old = {cell["id"]: cell for cell in korean.cells} if korean else {}
    result, stale = copy.deepcopy(english), []
    lost = [
        name
        for name in old
        if name not in {cell["id"] for cell in english.cells} and _written(old[name])
    ]
    for cell in result.cells:
        before = old.get(cell["id"], {})
        alt = cell.metadata.get("mystnb", {}).get("image", {})
        if "alt" in alt:
            alt["alt"] = words(alt["alt"], cell["id"])
        if cell.cell_type == "markdown":
            kept = before.get("cell_type") == "markdown"
            original, cell.source = cell.source, before["source"] if kept else cell.source
            cell.metadata["translation_of"] = (
                before["metadata"].get("translation_of", "") if kept else ""
            )
            if cell.metadata["translation_of"] != digest(original):
                stale.append(cell["id"])
            continue
        cell.source = in_korean(cell.source, words, cell["id"])
        cell.outputs, cell.execution_count = before.get("outputs", []), None
        cell.metadata.pop("ran", None)
        if "ran" in before.get("metadata", {}):
            cell.metadata["ran"] = before["metadata"]["ran"]
    formatted(result)
    for cell in result.cells:
        if cell.cell_type == "code":
            before = old.get(cell["id"])
            made = before["metadata"].get("made") if before else None
            if made and digest(before["source"]) != made and before["source"] != cell.source:
                lost.append(cell["id"])
            cell.metadata["made"] = digest(cell.source)
    if lost and not drop:
        raise Problem(
            f"{file}: what stands in the cells {', '.join(lost)} would be lost. Text: give the English cell its old id "
            "back. Code: edit the English cell or the catalogue. Or run `python tools/sync.py --drop`."
        )
    return result, stale


def _written(cell):
    return cell.cell_type == "markdown" and re.search("[가-힣]", cell.source)


def formatted(notebook):
    """`ruff format` on the code cells."""
    command = [
        sys.executable,
        "-m",
        "ruff",
        "format",
        f"--line-length={COLUMNS}",
        "--stdin-filename=lesson.ipynb",
        "-",
    ]
    text = nbformat.writes(notebook)
    made = subprocess.run(
        command, input=text, capture_output=True, text=True, encoding="utf-8", cwd=ROOT
    )
    if made.returncode:
        raise Problem(f"ruff format: {made.stderr.strip()}")
    for cell, new in zip(
        notebook.cells, nbformat.reads(made.stdout, as_version=4).cells, strict=True
    ):
        cell.source = new.source


def accept(english, korean, ids, file="the Korean notebook"):
    """Note in the Korean cells `ids` that they translate the English cells as they are now."""
    originals = {cell["id"]: cell.source for cell in english.cells if cell.cell_type == "markdown"}
    cells = {cell["id"]: cell for cell in korean.cells}
    for name in ids:
        if name not in originals or name not in cells:
            raise Problem(f"{file} has no text cell {name}.")
        if cells[name].source == originals[name] and re.search(
            r"[a-z]{3} [a-z]{3}", originals[name]
        ):
            raise Problem(f"{file}, cell {name}: still in English. Translate it, then accept it.")
        cells[name].metadata["translation_of"] = digest(originals[name])


# --- drawings -------------------------------------------------------------------------------------


def drawings(lesson):
    return sorted(FIGURES.glob(f"{lesson[:2]}-*.svg"))


def drawing_in_korean(svg, words, name):
    """A drawing with Korean texts."""

    def text(found):
        body = found[2]
        return (
            f"{found[1]}{escape(words(unescape(body), name))}{found[3]}"
            if body.strip()
            else found[0]
        )

    return re.sub(r"(<(?:text|tspan|title|desc)\b[^>]*>)([^<]*)(</?)", text, svg)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("lessons", nargs="*", help="numbers or names; all lessons if missing")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--drop", action="store_true")
    parser.add_argument("--accept", nargs="+", metavar=("LESSON", "CELL"))
    arguments = parser.parse_args()
    accepted = {}
    if arguments.accept:
        [lesson] = chosen(arguments.accept[:1])
        accepted = {lesson: arguments.accept[1:]}
    todo = 0
    for lesson in chosen([*arguments.lessons, *accepted]):
        english, target = folded(read("en", lesson)), path("ko", lesson)
        korean, words = read("ko", lesson) if target.exists() else None, Words(lesson)
        if lesson in accepted:
            accept(english, korean, accepted[lesson], named(target))
        result, stale = synced(english, korean, words, arguments.drop, named(target))
        pages = {
            path("en", lesson): nbformat.writes(english) + "\n",
            target: nbformat.writes(result) + "\n",
        }
        for svg in drawings(lesson):
            pages[FIGURES / "ko" / svg.name] = drawing_in_korean(
                svg.read_text(encoding="utf-8"), words, svg.stem
            )
        for file, text in pages.items():
            if file.exists() and file.read_text(encoding="utf-8") == text:
                continue
            if arguments.check:
                print(f"out of step: {named(file)} (run `make sync`)")
                todo += 1
            else:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text, encoding="utf-8")
        if not arguments.check:
            words.save()
        for cell in stale:
            print(f"translate: {named(target, cell)}")
        for cell, text in words.missing:
            print(f"translate: {named(words.file)}, cell {cell}: {text}")
        todo += len(stale) + len(words.missing)
    sys.exit(1 if arguments.check and todo else 0)


if __name__ == "__main__":
    main()
