"""Keep the Korean notebooks in step with the English ones.

    python tools/sync.py                      copy code, outputs and new cells from English to Korean; list what to translate
    python tools/sync.py --accept 02_simplernn_sine windows-toy
                                              the Korean text of this cell now matches its English original
    python tools/sync.py --check              change nothing; fail when something is out of step

A Korean notebook has the same cells with the same ids; only the markdown differs. The metadata of each Korean markdown cell holds
the hash of the English cell that it translates.
"""

import argparse
import copy
import hashlib
import re
import sys
from pathlib import Path

import nbformat

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"
ADDRESS = re.compile(  # the repository's, which `tools/stamp.py` may change
    r"(github\.com/|/github/|/gh/)[\w.-]+/[\w.-]+?(?=\.git\b|\.?(?:[^\w.-]|$))"
)


def digest(text):
    """The hash of an English markdown cell, whatever the repository's address in it."""
    return hashlib.sha256(ADDRESS.sub("", text).encode()).hexdigest()[:16]


def read(path):
    return nbformat.read(path, as_version=4)


def write(notebook, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")


def synced(english, korean=None):
    """The Korean notebook that belongs to `english`, with the translations that `korean` has, and the ids still to translate."""
    translated = (
        {cell["id"]: cell for cell in korean.cells if cell.cell_type == "markdown"}
        if korean
        else {}
    )
    result, stale = copy.deepcopy(english), []
    for cell in result.cells:
        if cell.cell_type != "markdown":
            continue
        original = cell.source
        if cell["id"] in translated:
            cell.source = translated[cell["id"]].source
            cell.metadata["translation_of"] = translated[cell["id"]].metadata.get(
                "translation_of", ""
            )
        else:
            cell.metadata["translation_of"] = ""  # new: still in English
        if cell.metadata["translation_of"] != digest(original):
            stale.append(cell["id"])
    return result, stale


def accept(english, korean, ids):
    """Note in the Korean cells `ids` that they translate the English cells as they are now."""
    originals = {cell["id"]: cell.source for cell in english.cells}
    for cell in korean.cells:
        if cell["id"] in ids:
            cell.metadata["translation_of"] = digest(originals[cell["id"]])


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--accept", nargs="+", metavar=("LESSON", "CELL"))
    arguments = parser.parse_args()
    out_of_step = 0
    for path in sorted((NOTEBOOKS / "en").glob("*.ipynb")):
        english, target = read(path), NOTEBOOKS / "ko" / path.name
        korean = read(target) if target.exists() else None
        result, _ = synced(english, korean)
        if arguments.accept and arguments.accept[0] == path.stem:
            unknown = set(arguments.accept[1:]) - {
                cell["id"] for cell in result.cells if cell.cell_type == "markdown"
            }
            if unknown:
                parser.error(f"{path.stem} has no markdown cell {', '.join(sorted(unknown))}")
            accept(english, result, arguments.accept[1:])
        result, stale = synced(english, result)
        changed = result != korean
        if changed and not arguments.check:
            write(result, target)
        for cell in stale:
            print(f"translate: notebooks/ko/{path.name}, cell {cell}")
        if changed and arguments.check:
            print(f"out of step: notebooks/ko/{path.name} (run `make sync`)")
        out_of_step += bool(stale) + bool(changed and arguments.check)
    sys.exit(1 if out_of_step else 0)


if __name__ == "__main__":
    main()
