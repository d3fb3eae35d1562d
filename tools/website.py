"""Build the course's site from the stored notebooks; nothing is executed.

    python tools/website.py             build/site: index.html, en/, ko/, slides/ if `make slides` has made them

Fails on any warning of Sphinx, on a cell without its output, and on a figure without a description.
"""

import argparse
import ast
import re
import shutil
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import nbformat
from pages import (
    BUILD,
    LANGUAGES,
    ROOT,
    MissingOutput,
    copy_scripts,
    figure_html,
    heading,
    lessons,
    read,
    without_badges,
)

PRINTS = {"print", "show", "drawing", "record", "display", "plot_history"}
WORDS = {
    "en": {
        "lessons": "Lessons",
        "more": "Teaching",
        "slides": "Slides",
        "term": ("term", "Korean", "meaning", "lesson"),
    },
    "ko": {
        "lessons": "강의",
        "more": "수업 자료",
        "slides": "슬라이드",
        "term": ("용어", "영어", "뜻", "강의"),
    },
}


# --- notebooks ------------------------------------------------------------------------------------------------------


def shows_something(source):
    """Whether a code cell must have an output: it calls one of PRINTS or ends with a value. (Widgets are not stored.)"""
    if "widgets" in source:
        return False
    body = ast.parse(re.sub(r"^(\s*)[!%].*$", r"\1pass", source, flags=re.M)).body
    statements = list(body)
    while statements:
        statement = statements.pop()
        if isinstance(statement, (ast.For, ast.With)):
            statements += statement.body
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
            if getattr(statement.value.func, "id", None) in PRINTS:
                return True
    last = body[-1] if body else None
    is_value = isinstance(last, ast.Expr) and not isinstance(last.value, (ast.Call, ast.Constant))
    return is_value and not source.rstrip().endswith(";")


def whole(notebook, name):
    """Raise MissingOutput unless every code cell was executed, in order, without an error, and shows what it should."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for count, cell in enumerate(code, 1):
        where = f"{name}, cell {cell['id']}"
        if cell.execution_count != count:
            raise MissingOutput(
                f"{where}: its stored number is {cell.execution_count}, it should be {count}: run `make outputs`"
            )
        if any(output.output_type == "error" for output in cell.outputs):
            raise MissingOutput(f"{where}: the stored output is an error")
        if not cell.outputs and shows_something(cell.source):
            raise MissingOutput(f"{where}: the stored output is missing: run `make outputs`")


def page(notebook, lesson, figures):
    """The notebook as Sphinx gets it: no badges, figures as HTML with their descriptions, drawings without their code."""
    whole(notebook, lesson)
    notebook.metadata.language_info = {"name": "python", "pygments_lexer": "ipython3"}
    notebook.cells[0].source = without_badges(notebook.cells[0].source)
    for cell in notebook.cells:
        tags = set(cell.metadata.get("tags", []))
        cell.metadata = {}
        if cell.cell_type != "code":
            continue
        if cell["id"] == "setup":
            tags.add("hide-input")
        if cell.source.startswith("drawing("):
            tags = tags - {"hide-input"} | {"remove-input"}
        cell.metadata["tags"] = sorted(tags - {"nbval-check-output"})
        for number, output in enumerate(cell.outputs):
            picture = figure_html(
                output, f"{cell['id']}-{number}", figures / lesson, f"figures/{lesson}"
            )
            if picture:
                output.data, output.metadata = {"text/html": picture}, {}
    return notebook


# --- other pages ----------------------------------------------------------------------------------------------------


def glossary(text, language):
    """The bilingual table of docs/glossary.md as a page in one language."""
    rows = [
        [field.strip() for field in line.strip("|").split("|")]
        for line in text.splitlines()
        if line.startswith("| ")
    ]
    names = {name[:2]: name for name in lessons()}
    title = "Glossary" if language == "en" else "용어집"
    lines = [
        f"# {title}",
        "",
        "| {} | {} | {} | {} |".format(*WORDS[language]["term"]),
        "|---|---|---|---|",
    ]
    pairs = [(en, ko, en_text, ko_text, number) for en, ko, en_text, ko_text, number in rows[1:]]
    pairs.sort(key=lambda row: row[0].lower() if language == "en" else row[1])
    for en, ko, en_text, ko_text, number in pairs:
        term, other, meaning = (en, ko, en_text) if language == "en" else (ko, en, ko_text)
        link = f"[{number}]({names[number]}.ipynb)" if number in names else number
        lines.append(f"| **{term}** | {other} | {meaning} | {link} |")
    return "\n".join(lines) + "\n"


def write_sources(language, source, extra, root=ROOT):
    """Everything that Sphinx reads for one language, below `source`; pictures below `extra`."""
    for folder in (source, extra):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    words, suffix = WORDS[language], "" if language == "en" else ".ko"
    for lesson in lessons(root):
        notebook = page(read(language, lesson, root), lesson, extra / "figures")
        (source / f"{lesson}.ipynb").write_text(nbformat.writes(notebook), encoding="utf-8")
    docs = root / "docs"
    (source / "glossary.md").write_text(
        glossary((docs / "glossary.md").read_text(encoding="utf-8"), language), encoding="utf-8"
    )
    guide = (docs / f"instructor-guide{suffix}.md").read_text(encoding="utf-8")
    guide = re.sub(r"^\[(?:English|한국어)\]\(instructor-guide[.\w]*\)\n+", "", guide, flags=re.M)
    guide = re.sub(rf"\(\.\./notebooks/{language}/([\w]+\.ipynb)\)", r"(\1)", guide)
    (source / "instructor-guide.md").write_text(guide, encoding="utf-8")
    index = (docs / f"index{suffix}.md").read_text(encoding="utf-8")
    if (BUILD / "slides" / language).exists():
        index += f"\n## {words['slides']}\n\n" + "".join(
            f'- <a href="../slides/{language}/{lesson}.html">{heading(read(language, lesson, root))}</a>\n'
            for lesson in lessons(root)
            if (BUILD / "slides" / language / f"{lesson}.html").exists()
        )
    for caption, names in (
        (words["lessons"], lessons(root)),
        (words["more"], ["instructor-guide", "glossary"]),
    ):
        index += (
            f"\n```{{toctree}}\n:hidden:\n:caption: {caption}\n\n" + "\n".join(names) + "\n```\n"
        )
    (source / "index.md").write_text(index, encoding="utf-8")


FRONT = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Recurrent neural networks · 순환 신경망</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<script>
  if (!location.hash) location.replace((navigator.language || "en").startsWith("ko") ? "ko/index.html" : "en/index.html");
</script>
<body style="font: 1.3rem sans-serif; margin: 4rem auto; max-width: 30rem">
<h1>Recurrent neural networks<br><span lang="ko">순환 신경망</span></h1>
<p><a href="en/index.html">English</a> · <a href="ko/index.html" lang="ko">한국어</a></p>
"""


def build(language, target, work):
    """Sphinx for one language; its exit status."""
    from sphinx.cmd.build import build_main

    source, extra, scripts = (
        work / f"{name}-{language}" for name in ("source", "extra", "scripts")
    )
    write_sources(language, source, extra)
    copy_scripts(scripts)
    settings = {
        "html_extra_path": extra,
        "html_static_path": f"{ROOT / 'docs' / '_static'},{scripts}",
    }
    options = [part for name, value in settings.items() for part in ("-D", f"{name}={value}")]
    where = [
        "-c",
        str(ROOT / "docs"),
        "-d",
        str(work / f"doctrees-{language}"),
        str(source),
        str(target / language),
    ]
    return build_main(
        ["-q", "-b", "html", "-W", "--keep-going", "-E", "-t", language, *options, *where]
    )


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--target", type=Path, default=BUILD / "site")
    target = parser.parse_args().target
    start = time.perf_counter()
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    work = BUILD / "site-work"
    with ProcessPoolExecutor(2) as pool:
        try:
            failed = any(list(pool.map(build, LANGUAGES, [target] * 2, [work] * 2)))
        except MissingOutput as problem:
            sys.exit(f"site: {problem}")
    if failed:
        sys.exit("site: Sphinx warned; see above")
    (target / "index.html").write_text(FRONT, encoding="utf-8")
    (target / ".nojekyll").touch()
    if (BUILD / "slides").exists():
        shutil.copytree(BUILD / "slides", target / "slides")
    print(f"{target / 'index.html'} in {time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
