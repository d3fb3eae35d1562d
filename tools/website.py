"""Build the course's site from the stored notebooks; nothing is executed.

    python tools/website.py             build/site: index.html, en/, ko/, and the decks of `make slides`

Fails on any warning of Sphinx, on an output that is an error, and on a figure without a description.
"""

import argparse
import re
import shutil
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import nbformat
import stamp
from course import BUILD, LANGUAGES, ROOT, Problem, lessons, read, tags
from pages import copy_scripts, figure_html, outputs, without_badges

WORDS = {
    "en": {
        **{"lessons": "Lessons", "more": "Teaching", "slides": "Slides", "glossary": "Glossary"},
        "minutes": "{read} min to read · {run} min to run",
        "term": ("term", "Korean", "meaning", "lesson"),
    },
    "ko": {
        **{"lessons": "강의", "more": "수업 자료", "slides": "슬라이드", "glossary": "용어집"},
        "minutes": "읽기 {read}분 · 실행 {run}분",
        "term": ("용어", "영어", "뜻", "강의"),
    },
}
KEPT = {"hide-input", "remove-input"}  # tags that Sphinx reads


# --- notebooks ------------------------------------------------------------------------------------


def page(notebook, lesson, target):
    """The notebook as Sphinx gets it: no badges, figures as HTML, drawings without their code."""
    notebook.metadata.language_info = {"name": "python", "pygments_lexer": "ipython3"}
    notebook.cells[0].source = without_badges(notebook.cells[0].source)
    for cell in notebook.cells:
        kept = tags(cell) & KEPT
        cell.metadata = {}
        if cell.cell_type != "code":
            continue
        if cell.source.startswith("drawing("):
            kept = {"remove-input"}
        cell.metadata["tags"] = sorted(kept)
        cell.outputs = outputs(cell)
        for number, output in enumerate(cell.outputs):
            if output.output_type == "error":
                raise Problem(
                    f"{lesson}, cell {cell['id']}: its output is an error; `make outputs`"
                )
            picture = figure_html(cell, number, lesson, target)
            if picture:
                output.data, output.metadata = {"text/html": picture}, {}
    return notebook


# --- other pages ----------------------------------------------------------------------------------


def glossary(text, language):
    """The bilingual table of docs/glossary.md as a page in one language."""
    rows = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("| ")]
    names, pairs = {name[:2]: name for name in lessons()}, []
    for row in rows[1:]:
        en, ko, en_text, ko_text, number = (field.strip() for field in row)
        link = f"[{number}]({names[number]}.ipynb)" if number in names else number
        pairs.append((en, ko, en_text, link) if language == "en" else (ko, en, ko_text, link))
    words = WORDS[language]
    lines = [f"# {words['glossary']}", "", "| {} | {} | {} | {} |".format(*words["term"])]
    lines += ["|---|---|---|---|"]
    for row in sorted(pairs, key=lambda row: row[0].lower()):
        lines.append("| **{}** | {} | {} | {} |".format(*row))
    return "\n".join(lines) + "\n"


def front(text, language, root=ROOT):
    """The first page: its text with the list of the lessons, and how many there are, hours and minutes."""
    words, items, every = WORDS[language], [], lessons(root)
    for lesson, about in every.items():
        notebook = f"{stamp.repository(root)}/blob/main/notebooks/{language}/{lesson}.ipynb"
        links = f'<a href="https://colab.research.google.com/github/{notebook}">Colab</a>'
        if (BUILD / "slides" / language / f"{lesson}.html").exists():
            links += f' · <a href="../slides/{language}/{lesson}.html">{words["slides"]}</a>'
        items.append(
            f'<li value="{int(lesson[:2])}"><a href="{lesson}.html">{about["title"][language]}</a>'
            f"<p>{about['learn'][language][0].upper()}{about['learn'][language][1:]}</p>"
            f"<small>{words['minutes'].format(**about)} · {links}</small></li>"
        )
    total = {name: sum(about[name] for about in every.values()) for name in ("read", "run")}
    counts = {"count": len(every), "read": round(total["read"] / 60), "run": total["run"]}
    values = {**counts, "lessons": "\n".join(['<ol class="lessons">', *items, "</ol>"])}
    text = re.sub(r"\{\{(\w+)\}\}", lambda found: str(values[found[1]]), text)
    return f'{text}\n<script defer src="_static/reader-model.js"></script>\n<script defer src="_static/reader.js"></script>\n'


def write_sources(language, source, extra, root=ROOT):
    """Everything that Sphinx reads for one language, below `source`; pictures below `extra`."""
    for folder in (source, extra):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    words, suffix, docs = WORDS[language], "" if language == "en" else ".ko", root / "docs"
    for lesson in lessons(root):
        notebook = page(read(language, lesson, root), lesson, extra)
        (source / f"{lesson}.ipynb").write_text(nbformat.writes(notebook), encoding="utf-8")
    guide = (docs / f"instructor-guide{suffix}.md").read_text(encoding="utf-8")
    guide = re.sub(r"\(\.\./README[^)]*\)", "(index.md)", guide)
    guide = re.sub(r"^\[(?:English|한국어)\]\(instructor-guide[.\w]*\)\n+", "", guide, flags=re.M)
    index = (docs / f"index{suffix}.md").read_text(encoding="utf-8")
    index = front(index, language, root)
    for caption, names in (
        (words["lessons"], lessons(root)),
        (words["more"], ["instructor-guide", "glossary"]),
    ):
        tree = "\n".join(names)
        index += f"\n```{{toctree}}\n:hidden:\n:caption: {caption}\n\n{tree}\n```\n"
    table = (docs / "glossary.md").read_text(encoding="utf-8")
    for name, text in {
        "glossary": glossary(table, language),
        "instructor-guide": re.sub(rf"\(\.\./notebooks/{language}/(\w+\.ipynb)\)", r"(\1)", guide),
        "index": index,
    }.items():
        (source / f"{name}.md").write_text(text, encoding="utf-8")


# --- the site -------------------------------------------------------------------------------------


def build(language, target, work):
    """Sphinx for one language; its exit status."""
    from sphinx.cmd.build import build_main

    folder = {name: work / f"{name}-{language}" for name in ("source", "extra", "scripts", "trees")}
    write_sources(language, folder["source"], folder["extra"])
    copy_scripts(folder["scripts"])
    arguments = [
        *("-q", "-b", "html", "-W", "--keep-going", "-E", "-t", language),
        *("-D", f"html_extra_path={folder['extra']}"),
        *("-D", f"html_static_path={ROOT / 'docs' / '_static'},{folder['scripts']}"),
        *("-c", ROOT / "docs", "-d", folder["trees"], folder["source"], target / language),
    ]
    status = build_main([str(argument) for argument in arguments])
    icons = target / language / "_static" / "scripts" / "fontawesome.js"
    icons.write_text("// 1.6 MB not sent: the theme's style sheet has the same icons as a font\n")
    return status


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--target", type=Path, default=BUILD / "site")
    target, start = parser.parse_args().target, time.perf_counter()
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    with ProcessPoolExecutor(2) as pool:
        if any(list(pool.map(build, LANGUAGES, [target] * 2, [BUILD / "site-work"] * 2))):
            sys.exit("site: Sphinx warned; see above")
    shutil.copy(ROOT / "docs" / "front.html", target / "index.html")
    (target / ".nojekyll").touch()
    if (BUILD / "slides").exists():
        shutil.copytree(BUILD / "slides", target / "slides")
    print(f"{target / 'index.html'} in {time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
