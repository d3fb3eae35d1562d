"""Add a small lesson that passes all tests, and write the README's tables from notebooks/lessons.toml.

    python tools/lesson.py 14_name       a new lesson, in both languages, from tools/template/
    python tools/lesson.py               only the tables

CONTRIBUTING.md says what comes next.
"""

import argparse
import re
import subprocess
import sys
from pathlib import Path

import stamp
import sync
from course import LANGUAGES, ROOT, Problem, lessons, path, read, write

TEMPLATE = ROOT / "tools" / "template"
COLAB = "[![Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/{}/blob/main/{})"
BINDER = "[![Binder](https://mybinder.org/badge_logo.svg)](https://mybinder.org/v2/gh/{}/main?urlpath=lab/tree/{})"
HEAD = {
    "en": "| lesson | what you learn | min. to read | min. to run | English | 한국어 |",
    "ko": "| 강의 | 배우는 것 | 읽기(분) | 실행(분) | 한국어 | English |",
}


def table(language, root=ROOT):
    """The README's table of the lessons in one language."""
    rows, own = [HEAD[language], "|---|---|---|---|---|---|"], stamp.repository(root)
    for lesson, about in lessons(root).items():
        title, learn = about["title"][language], about["learn"][language]
        row = [
            f"[{lesson[:2]} {title}](notebooks/{language}/{lesson}.ipynb)",
            learn,
            about["read"],
            about["run"],
        ]
        for one in sorted(LANGUAGES, key=lambda other: other != language):
            page = f"notebooks/{one}/{lesson}.ipynb"
            row.append(f"{COLAB.format(own, page)} {BINDER.format(own, page)}")
        rows.append(f"| {' | '.join(map(str, row))} |")
    return "\n".join(rows)


def write_tables(root=ROOT):
    for language, name in zip(LANGUAGES, ("README.md", "README.ko.md"), strict=True):
        text = (root / name).read_text(encoding="utf-8")
        start = text.index(HEAD[language])
        end = text.index("\n\n", start)
        (root / name).write_text(
            text[:start] + table(language, root) + text[end:], encoding="utf-8"
        )


def add(name, root=ROOT):
    """Copy the template; a file that is there already (a list) gets what the template adds to it."""
    if not re.fullmatch(r"\d\d_[a-z0-9_]+", name) or name[:2] in {
        other[:2] for other in lessons(root)
    }:
        raise Problem(
            f"{name!r}: a lesson is called NN_name, such as 14_my_topic, and its number is new."
        )
    for file in filter(Path.is_file, sorted(TEMPLATE.rglob("*"))):
        target = root / str(file.relative_to(TEMPLATE)).replace("NN_name", name)
        text = file.read_text(encoding="utf-8").replace("NN_name", name).replace("NN", name[:2])
        with target.open("a", encoding="utf-8") as there:
            there.write(text)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", nargs="?")
    name = parser.parse_args().name
    if name:
        add(name)
        english, korean = read("en", name), read("ko", name)
        texts = [cell["id"] for cell in english.cells if cell.cell_type == "markdown"]
        sync.accept(english, korean, texts)
        write(korean, path("ko", name))
        for command in (["sync.py"], ["run.py", "--store", name], ["sync.py"]):
            tool = ROOT / "tools" / command[0]
            subprocess.run([sys.executable, tool, *command[1:]], check=True)
    write_tables()


if __name__ == "__main__":
    main()
