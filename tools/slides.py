"""One reveal.js deck per lesson and language, from slide metadata and docs/slides/NN_name.toml.

    python tools/slides.py           build/slides: index.html, en/, ko/; works without internet
    python tools/slides.py 05        only these lessons

`slideshow.slide_type` in a cell's metadata says where it goes, as in JupyterLab RISE: `slide` begins
a section, `subslide` a slide below it, `-` and `fragment` continue, `skip` and `notes` do not appear.
A deck is shorter than its notebook: of a long text only the beginning is shown, the rest stands in
the speaker notes, and so does folded code (`hide-input`); above a code cell stands the question
that the text before it ends with; its output appears with the next key. The toml file holds, for
each section, the minutes and a note for the speaker in both languages.
"""

import argparse
import html
import re
import shutil
import time
import tomllib

from course import BUILD, LANGUAGES, ROOT, Problem, chosen, heading, read, tags
from nbconvert.filters.markdown import markdown2html
from pages import blocks, copy_scripts, figure_html, node_packages, outputs, without_badges
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name

BUDGET = 430  # characters of running text on a slide
ROOM = 950  # with tables, lists and formulas
QUESTION = r"(?<![*\w])\*(?!\*)[^*]{25,}\*(?!\*)"  # a long text in italics
FULL = 18  # lines of code and output together; more makes two slides
LINES = 16  # lines of printed output on a slide
PLOT_CODE = 5  # code of a figure or a table is shown up to this many lines
WORDS = {  # minutes so far, minutes of a section, what the speaker gets
    "en": (" minutes", "this section: {} min", "Code of this cell", "In the notebook"),
    "ko": ("분", "이 절: {}분", "이 셀의 코드", "노트북의 설명"),
}


# --- what a deck is made of -----------------------------------------------------------------------


def slide_type(cell):
    kind = cell.metadata.get("slideshow", {}).get("slide_type", "skip")
    return "-" if kind == "" else kind


def outline(notebook, lesson=""):
    """The deck: a list of sections; each is a list of slides; each is a list of positions of cells."""
    kinds, sections = [slide_type(cell) for cell in notebook.cells], []
    if next((kind for kind in kinds if kind not in ("skip", "notes")), "") != "slide":
        raise Problem(f"{lesson}: the first cell on a slide needs the slide type `slide`.")
    for position, kind in enumerate(kinds):
        if kind == "slide":
            sections.append([[position]])
        elif kind == "subslide":
            sections[-1].append([position])
        elif kind in ("-", "fragment"):
            sections[-1][-1].append(position)
    return sections


def speaker(lesson, sections):
    """{cell id of a section: {minutes, en, ko}} of one lesson; `sections` are its cells."""
    file = f"docs/slides/{lesson}.toml"
    if not (ROOT / file).is_file():
        raise Problem(f"{file} is missing: minutes and notes for {', '.join(sections)}")
    notes = tomllib.loads((ROOT / file).read_text(encoding="utf-8"))
    for name in set(sections) ^ set(notes):
        told = "begins a section: give it minutes and notes" if name in sections else "begins none"
        raise Problem(f"{file}: cell {name} {told}.")
    return notes


def split_text(markdown, asks):
    """(blocks for the slide, for the speaker): the beginning, then tables, lists, formulas, text."""
    parts = []
    for block in without_question(markdown) if asks else blocks(markdown):
        title = re.match(r"(#{1,6} [^\n]*)\n(.+)", block, re.S)
        parts += title.groups() if title else [block]

    def room(part):
        text = re.sub(r"\$\$.*?\$\$|[|*`$-]|\]\(.*?\)", "", part, flags=re.S)
        return 0 if part.startswith("#") else len(text) + 40 * part.count("\n")

    texts = [i for i, part in enumerate(parts) if not part.startswith("#")]
    special = [i for i in texts if parts[i].startswith(("|", "$$", "- ", "1. ", ">", "```"))]
    shown = {i for i, part in enumerate(parts) if part.startswith("#")} | set(texts[:1])
    for i in special + texts:
        limit = ROOM if i in special else BUDGET
        if i not in shown and sum(room(parts[j]) for j in {*shown, i}) <= limit:
            shown.add(i)
    for i in reversed(range(1, len(parts))):  # a heading whose text is not shown
        if parts[i].startswith("#") and i + 1 not in shown and (i + 1 < len(parts) or not asks):
            shown.discard(i)
    spoken = [part for i, part in enumerate(parts) if i not in shown]
    return [parts[i] for i in sorted(shown)], spoken


def question(markdown):
    """What stands above a code cell: the box or italic question that ends the text before it."""
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


# --- HTML -----------------------------------------------------------------------------------------


def to_html(parts):
    page = markdown2html("\n\n".join(parts))
    page = re.sub(r'<a class="anchor-link".*?</a>', "", page, flags=re.S)
    return re.sub(r'href="(\w+)\.ipynb"', r'href="\1.html"', page)


def code_html(code):
    return highlight(code, get_lexer_by_name("python"), HtmlFormatter(cssclass="code"))


def output_html(cell, lesson, target):
    """The stored outputs of a cell: figures, tables, text."""
    parts, cell.outputs = [], outputs(cell)
    for number, output in enumerate(cell.outputs):
        data = output.get("data", {})
        picture = figure_html(cell, number, lesson, target)
        if picture:
            parts.append(picture)
        elif "text/html" in data:
            parts.append(f'<div class="table">{data["text/html"]}</div>')
        elif output.get("name") != "stderr":
            lines = (output.get("text") or data.get("text/plain", "")).rstrip().splitlines()
            lines = lines[: LINES - 1] + ["…"] if len(lines) > LINES else lines
            if lines:
                parts.append(f'<pre class="output">{html.escape(chr(10).join(lines))}</pre>')
    pictures = [part for part in parts if part.startswith('<div class="figure')]
    if len(pictures) > 1:
        others = [part for part in parts if part not in pictures]
        parts = [f'<div class="pair">{"".join(pictures)}</div>', *others]
    return "".join(parts)


def slide_html(notebook, positions, lesson, language, target):
    """(HTML of one slide, or of two where code and output are too long; what the speaker reads)."""
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
        asked = [f'<div class="question">{to_html([asked])}</div>'] if asked else []
        output = output_html(cell, lesson, target)
        shown += asked
        picture = '<div class="figure' in output or '<div class="table' in output
        long = picture and cell.source.count("\n") >= PLOT_CODE
        if long or "hide-input" in tags(cell):
            shown += [output] if output else []
            if not cell.source.startswith("drawing("):
                code = f"**{WORDS[language][2]}** (`{cell['id']}`)"
                spoken.append(f"{code}\n\n```python\n{cell.source}\n```")
            continue
        shown.append(code_html(cell.source))
        lines = cell.source.count("\n") + output.count("\n") - 8 * output.count("<table")
        if output and lines + len(shown) > FULL:
            shown = [*asked, output]
            slides.append(shown)
        elif output:
            shown.append(f'<div class="fragment">{output}</div>')
    for cell in notebook.cells[positions[-1] + 1 :]:
        if slide_type(cell) not in ("skip", "notes"):
            break
        text = cell.cell_type == "markdown" and not cell.source.startswith("#")
        if text and not re.match(r"ex\d|investigate", cell["id"]):
            spoken += without_question(cell.source)
    return ["\n".join(shown) for shown in slides], spoken


def deck(lesson, language, target):
    """The page of one deck, and the number of its slides; pictures go below `target`."""
    notebook, words = read(language, lesson), WORDS[language]
    sections = outline(notebook, lesson)
    names = [notebook.cells[section[0][0]]["id"] for section in sections]
    notes = speaker(lesson, names)
    clock, pages = 0, []
    for section, name in zip(sections, names, strict=True):
        note, minutes, slides = notes[name], notes[name]["minutes"], []
        parts = [slide_html(notebook, places, lesson, language, target) for places in section]
        seconds = round(60 * minutes / sum(len(contents) for contents, _ in parts))
        first = notebook.cells[section[0][0]].source.splitlines()[0].lstrip("# ")
        header = html.escape(f"{heading(notebook)} · {first}".replace("`", ""))
        for number, (positions, (contents, spoken)) in enumerate(zip(section, parts, strict=True)):
            time_ = f"**{clock}–{clock + minutes}{words[0]}**"
            said = [f"{time_} · {words[1].format(minutes)}"]
            said += [note[language]] if number == 0 else []
            said += ["---", f"*{words[3]}*", *spoken] if spoken else []
            running = f'<p class="running">{header}</p>' if number else ""
            ids = " ".join(notebook.cells[position]["id"] for position in positions)
            slides += [
                f'<section data-cells="{ids}" data-timing="{seconds}">'
                f'<div class="fit">\n{running}{content}\n</div>'
                f'<aside class="notes">{to_html(said)}</aside></section>'
                for content in contents
            ]
        clock += minutes
        pages.append(slides)
    other = "ko" if language == "en" else "en"
    template = (ROOT / "docs" / "slides" / "deck.html").read_text(encoding="utf-8")
    link = f'<a href="../{other}/{lesson}.html" lang="{other}">'
    values = {
        "language": language,
        "title": html.escape(heading(notebook).replace("`", "")),
        "other": f"{link}{'한국어' if other == 'ko' else 'English'}</a>",
        "slides": "\n".join("<section>\n" + "\n".join(page) + "\n</section>" for page in pages),
    }
    page = re.sub(r"\{\{(\w+)\}\}", lambda found: values[found[1]], template)
    return page, sum(map(len, pages))


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
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("lessons", nargs="*")
    names, start, target = (
        chosen(parser.parse_args().lessons),
        time.perf_counter(),
        BUILD / "slides",
    )
    decks, entries = {}, []
    work = BUILD / "slides-work"  # a lesson with a mistake ends this before the old decks are gone
    shutil.rmtree(work, ignore_errors=True)
    for lesson in names:
        for language in LANGUAGES:
            page, count = deck(lesson, language, work / language)
            decks[f"{language}/{lesson}.html"] = page
            title = heading(read(language, lesson))
            entries.append(f'<li><a href="{language}/{lesson}.html">{title}</a> ({count})</li>')
    decks["index.html"] = (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Slides</title><h1>Slides</h1>'
        f"<ul>{''.join(entries)}</ul>"
    )
    copy_reveal(work / "assets")
    for file, page in decks.items():
        (work / file).write_text(page, encoding="utf-8")
    shutil.rmtree(target, ignore_errors=True)
    work.rename(target)
    print(f"build/slides/index.html: {len(entries)} decks in {time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
