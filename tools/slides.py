"""One reveal.js deck per lesson and language, made from the notebooks' slide metadata and docs/slides/NN_name.toml.

    python tools/slides.py           build/slides: index.html, en/, ko/; works without internet
    python tools/slides.py 05        only these lessons

`slideshow.slide_type` in a cell's metadata says where it goes, as in JupyterLab RISE: `slide` begins a section, `subslide` a
slide below it, `-` and `fragment` continue, `skip` and `notes` do not appear. A deck is shorter than its notebook: of a long text
only the beginning is shown, the rest stands in the speaker notes; above a code cell stands the question that the text before it
ends with; its output appears with the next key. The toml file holds, for each section, the minutes and a note for the speaker in
both languages.
"""

import html
import re
import shutil
import subprocess
import sys
import time
import tomllib
from functools import cache

from nbconvert.filters.markdown import markdown2html
from pages import (
    BUILD,
    LANGUAGES,
    ROOT,
    blocks,
    copy_scripts,
    figure_html,
    heading,
    lessons,
    node_packages,
    read,
    without_badges,
)
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name

BUDGET = 430  # characters of running text on a slide
ROOM = 950  # with tables, lists and formulas
QUESTION = r"(?<![*\w])\*(?!\*)[^*]{25,}\*(?!\*)"  # a long text in italics
FULL = 18  # lines of code and output together; more makes two slides
LINES = 16  # lines of printed output on a slide
PLOT_CODE = 5  # code of a figure or a table is shown up to this many lines
WORDS = {
    "en": {
        "clock": " minutes",
        "section": "this section: {} min",
        "code": "Code of this cell",
        "text": "In the notebook",
    },
    "ko": {
        "clock": "분",
        "section": "이 절: {}분",
        "code": "이 셀의 코드",
        "text": "노트북의 설명",
    },
}


# --- what a deck is made of -----------------------------------------------------------------------------------------


def slide_type(cell):
    kind = cell.metadata.get("slideshow", {}).get("slide_type", "skip")
    return "-" if kind == "" else kind


def outline(notebook):
    """The deck as a list of sections; each is a list of slides; each is a list of positions of cells."""
    sections = []
    for position, cell in enumerate(notebook.cells):
        kind = slide_type(cell)
        if kind == "slide":
            sections.append([[position]])
        elif kind == "subslide":
            sections[-1].append([position])
        elif kind in ("-", "fragment"):
            sections[-1][-1].append(position)
    return sections


def speaker(lesson):
    """{cell id of a section: {minutes, en, ko}} of one lesson."""
    return tomllib.loads((ROOT / "docs" / "slides" / f"{lesson}.toml").read_text(encoding="utf-8"))


def split_text(markdown, asks):
    """(blocks for the slide, for the speaker): first the beginning, then tables, lists and formulas, then text, while it fits."""
    parts = []
    for block in without_question(markdown) if asks else blocks(markdown):
        title = re.match(r"(#{1,6} [^\n]*)\n(.+)", block, re.S)
        parts += title.groups() if title else [block]

    def room(part):
        if part.startswith("#"):
            return 0
        return len(
            re.sub(r"\$\$.*?\$\$|[|*`$-]|\]\(.*?\)", "", part, flags=re.S)
        ) + 40 * part.count("\n")

    texts = [i for i, part in enumerate(parts) if not part.startswith("#")]
    special = [i for i in texts if parts[i].startswith(("|", "$$", "- ", "1. ", ">", "```"))]
    shown = {i for i, part in enumerate(parts) if part.startswith("#")} | set(texts[:1])
    for i in special + texts:
        if i not in shown and sum(room(parts[j]) for j in shown) + room(parts[i]) <= (
            ROOM if i in special else BUDGET
        ):
            shown.add(i)
    for i in reversed(
        range(1, len(parts))
    ):  # a heading whose text is not shown, and is not the question that follows
        if parts[i].startswith("#") and i + 1 not in shown and (i + 1 < len(parts) or not asks):
            shown.discard(i)
    return [part for i, part in enumerate(parts) if i in shown], [
        part for i, part in enumerate(parts) if i not in shown
    ]


def question(markdown):
    """What stands above a code cell: the box or the italic question with which the text before it ends, or nothing."""
    last = blocks(markdown)[-1] if markdown.strip() else ""
    if last.startswith(">"):
        return last
    return " ".join(re.findall(QUESTION, last))


def without_question(markdown):
    """The blocks of a text without the question at its end."""
    parts, asked = blocks(markdown), question(markdown)
    if parts and parts[-1] == asked:
        parts.pop()
    elif parts:
        parts[-1] = re.sub(QUESTION, "", parts[-1]).strip()
    return [part for part in parts if part]


# --- HTML -----------------------------------------------------------------------------------------------------------


def to_html(parts):
    page = markdown2html("\n\n".join(parts))
    page = re.sub(r'<a class="anchor-link".*?</a>', "", page, flags=re.S)
    return re.sub(r'href="(\w+)\.ipynb"', r'href="\1.html"', page)


@cache
def narrow(code):
    """Code in lines of at most 84 characters; descriptions of figures, which the slide shows anyway, are left out."""
    code = re.sub(r'(\bshow\(\s*)f?"(?:[^"\\]|\\.)*"(?:\s+f?"(?:[^"\\]|\\.)*")*', r'\1"…"', code)
    code = re.sub(r"^record\(.*\)\n?", "", code, flags=re.M).strip() or code
    command = [
        sys.executable,
        "-m",
        "ruff",
        "format",
        "--isolated",
        "--line-length",
        "84",
        "--stdin-filename",
        "cell.py",
        "-",
    ]
    result = subprocess.run(command, input=code, capture_output=True, text=True, encoding="utf-8")
    return re.sub(r"\n{3,}", "\n\n", result.stdout.rstrip() if result.returncode == 0 else code)


def code_html(code):
    return highlight(code, get_lexer_by_name("python"), HtmlFormatter(cssclass="code"))


def output_html(cell, lesson, language, target):
    """The stored outputs of a cell: figures, tables, text; beside other text not the lines that `make run` reads."""
    parts = []
    alone = all(
        line.startswith("[figure] ")
        for output in cell.outputs
        for line in output.get("text", "?").splitlines()
    )
    for number, output in enumerate(cell.outputs):
        picture = figure_html(
            output,
            f"{cell['id']}-{number}",
            target / language / "figures" / lesson,
            f"figures/{lesson}",
        )
        data = output.get("data", {})
        if picture:
            parts.append(picture)
        elif "text/html" in data:
            parts.append(f'<div class="table">{data["text/html"]}</div>')
        else:
            text = output.get("text") or data.get("text/plain", "")
            lines = text.rstrip().splitlines()
            lines = [
                line.removeprefix("[figure] ")
                for line in lines
                if alone or not line.startswith("[figure] ")
            ]
            lines = lines[: LINES - 1] + ["…"] if len(lines) > LINES else lines
            if lines and output.get("name") != "stderr":
                parts.append(f'<pre class="output">{html.escape(chr(10).join(lines))}</pre>')
    pictures = [part for part in parts if part.startswith('<div class="figure')]
    if len(pictures) > 1:
        parts = [
            f'<div class="pair">{"".join(pictures)}</div>',
            *(part for part in parts if part not in pictures),
        ]
    return "".join(parts)


def slide_html(notebook, positions, lesson, language, target):
    """(HTML of one slide, or of two where code and output together are too long; what the speaker gets to read)."""
    slides, spoken = [[]], []
    shown = slides[0]
    for position in positions:
        cell = notebook.cells[position]
        if cell.cell_type == "markdown":
            after = notebook.cells[position + 1] if position + 1 < len(notebook.cells) else cell
            asks = after.cell_type == "code" and slide_type(after) in ("subslide", "fragment", "-")
            text, rest = split_text(without_badges(cell.source), asks)
            kind = "fragment" if slide_type(cell) == "fragment" else ""
            shown.append(f'<div class="text {kind}">{to_html(text)}</div>')
            spoken += rest
            continue
        before = notebook.cells[position - 1]
        asked = question(before.source) if before.cell_type == "markdown" else ""
        output = output_html(cell, lesson, language, target)
        code = narrow(cell.source)
        if asked:
            shown.append(f'<div class="question">{to_html([asked])}</div>')
        picture = '<div class="figure' in output or '<div class="table' in output
        if cell.source.startswith("drawing(") or (picture and code.count("\n") >= PLOT_CODE):
            shown.append(output)
            if not cell.source.startswith("drawing("):
                spoken.append(
                    f"**{WORDS[language]['code']}** (`{cell['id']}`)\n\n```python\n{code}\n```"
                )
        else:
            shown.append(code_html(code))
            if (
                output
                and code.count("\n") + output.count("\n") - 8 * output.count("<table") + len(shown)
                > FULL
            ):
                shown = ([f'<div class="question">{to_html([asked])}</div>'] if asked else []) + [
                    output
                ]
                slides.append(shown)
            elif output:
                shown.append(f'<div class="fragment">{output}</div>')
    follow = positions[-1] + 1
    while follow < len(notebook.cells) and slide_type(notebook.cells[follow]) in ("skip", "notes"):
        cell = notebook.cells[follow]
        if (
            cell.cell_type == "markdown"
            and not cell.source.startswith("#")
            and not re.match(r"ex\d", cell["id"])
        ):
            spoken += without_question(cell.source)
        follow += 1
    return ["\n".join(shown) for shown in slides], spoken


def deck(lesson, language, target):
    """The page of one deck, and the number of its slides."""
    notebook, notes, words = read(language, lesson), speaker(lesson), WORDS[language]
    clock, sections, count = 0, [], 0
    for section in outline(notebook):
        name = notebook.cells[section[0][0]]["id"]
        minutes = notes[name]["minutes"]
        slides, parts = (
            [],
            [slide_html(notebook, positions, lesson, language, target) for positions in section],
        )
        seconds = round(60 * minutes / sum(len(contents) for contents, _ in parts))
        first = notebook.cells[section[0][0]].source.splitlines()[0].lstrip("# ")
        header = html.escape(f"{heading(notebook)} · {first}".replace("`", ""))
        for number, (positions, (contents, spoken)) in enumerate(zip(section, parts, strict=True)):
            note = [
                f"**{clock}–{clock + minutes}{words['clock']}** · {words['section'].format(minutes)}"
            ]
            if number == 0:
                note.append(notes[name][language])
            if spoken:
                note += ["---", f"*{words['text']}*", *spoken]
            running = f'<p class="running">{header}</p>' if number else ""
            ids = " ".join(notebook.cells[position]["id"] for position in positions)
            slides += [
                f'<section data-cells="{ids}" data-timing="{seconds}"><div class="fit">\n{running}{content}\n</div>'
                f'<aside class="notes">{to_html(note)}</aside></section>'
                for content in contents
            ]
        count += len(slides)
        clock += minutes
        sections.append("<section>\n" + "\n".join(slides) + "\n</section>")
    other = "ko" if language == "en" else "en"
    template = (ROOT / "docs" / "slides" / "deck.html").read_text(encoding="utf-8")
    values = {
        "language": language,
        "title": html.escape(heading(notebook).replace("`", "")),
        "other": f'<a href="../{other}/{lesson}.html" lang="{other}">{"한국어" if other == "ko" else "English"}</a>',
        "slides": "\n".join(sections),
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda found: values[found[1]], template), count


def copy_reveal(target):
    reveal = node_packages() / "reveal.js"
    target.mkdir(parents=True, exist_ok=True)
    for name in ("dist/reset.css", "dist/reveal.css", "dist/reveal.js", "plugin/notes/notes.js"):
        shutil.copy(reveal / name, target)
    copy_scripts(target)
    style = HtmlFormatter(style="default", cssclass="code").get_style_defs(".reveal .code")
    own = (ROOT / "docs" / "slides" / "deck.css").read_text(encoding="utf-8")
    (target / "deck.css").write_text(f"{style}\n{own}", encoding="utf-8")
    shutil.copy(ROOT / "docs" / "slides" / "deck.js", target)


def main():
    chosen = tuple(sys.argv[1:])
    start, target = time.perf_counter(), BUILD / "slides"
    shutil.rmtree(target, ignore_errors=True)
    copy_reveal(target / "assets")
    entries = []
    for lesson in lessons():
        if (chosen and not lesson.startswith(chosen)) or not outline(read("en", lesson)):
            continue  # not asked for, or no slides chosen yet
        for language in LANGUAGES:
            page, count = deck(lesson, language, target)
            (target / language).mkdir(exist_ok=True)
            (target / language / f"{lesson}.html").write_text(page, encoding="utf-8")
            entries.append(
                f'<li><a href="{language}/{lesson}.html">{heading(read(language, lesson))}</a> ({count})</li>'
            )
    (target / "index.html").write_text(
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Slides</title><h1>Slides</h1><ul>{"".join(entries)}</ul>',
        encoding="utf-8",
    )
    print(f"build/slides/index.html: {len(entries)} decks in {time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
