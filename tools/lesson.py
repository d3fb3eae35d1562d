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
COLAB = "https://colab.research.google.com"
BADGES = (
    f"[![Colab]({COLAB}/assets/colab-badge.svg)]({COLAB}/github/{{0}}/blob/main/{{1}}) "
    "[![Binder](https://mybinder.org/badge_logo.svg)]"
    "(https://mybinder.org/v2/gh/{0}/main?urlpath=lab/tree/{1})"
)
HEAD = {
    "en": "| lesson | what you learn | min. to read | min. to run | English | 한국어 |",
    "ko": "| 강의 | 배우는 것 | 읽기(분) | 실행(분) | 한국어 | English |",
}


def table(language, root=ROOT):
    """The README's table of the lessons in one language."""
    rows, own = [HEAD[language], "|---|---|---|---|---|---|"], stamp.repository(root)
    for lesson, about in lessons(root).items():
        pages = {one: f"notebooks/{one}/{lesson}.ipynb" for one in LANGUAGES}
        first = f"[{lesson[:2]} {about['title'][language]}]({pages.pop(language)})"
        other = next(iter(pages))
        badges = (
            BADGES.format(own, f"notebooks/{one}/{lesson}.ipynb") for one in (language, other)
        )
        row = (first, about["learn"][language], about["read"], about["run"], *badges)
        rows.append(f"| {' | '.join(map(str, row))} |")
    return "\n".join(rows)


def write_tables(root=ROOT):
    for language, name in zip(LANGUAGES, ("README.md", "README.ko.md"), strict=True):
        before, _, after = (root / name).read_text(encoding="utf-8").partition(HEAD[language])
        after = after[after.index("\n\n") :]
        (root / name).write_text(f"{before}{table(language, root)}{after}", encoding="utf-8")


def add(name, root=ROOT):
    """Copy the template; a file that is there already (a list) gets what the template adds to it."""
    numbers = {other[:2] for other in lessons(root)}
    if not re.fullmatch(r"\d\d_[a-z0-9_]+", name) or name[:2] in numbers:
        raise Problem(f"{name!r}: it must be like 14_my_topic, and its number is new.")
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
        for command in ("sync.py", f"run.py --store {name}", "sync.py"):
            tool, *options = command.split()
            subprocess.run([sys.executable, ROOT / "tools" / tool, *options], check=True)
    write_tables()


if __name__ == "__main__":
    main()
