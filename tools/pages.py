"""What site and slides share: figures as HTML, blocks of markdown, what the browser loads."""

import base64
import html
import json
import re
import shutil
import subprocess
from pathlib import Path

from course import BUILD, ROOT, Problem

LIVE = "application/vnd.plotly.v1+json"
PICTURES = {"image/svg+xml": "svg", "image/png": "png"}


def without_badges(title):
    """A title cell without its line of badges: what they do is done by the page's own buttons."""
    return re.sub(r"^\[!\[[^\]]*\]\(https://colab\.research.*\n\n?", "", title, flags=re.M)


def outputs(cell):
    """The stored outputs that a page shows: not the script by which Colab gets Plotly from elsewhere."""

    def fetches(output):
        data = output.get("data", {})
        return "cdn.plot.ly" in data.get("text/html", "") and LIVE not in data

    return [output for output in cell.outputs if not fetches(output)]


def blocks(markdown):
    """The paragraphs, lists, tables, formulas and code blocks of a markdown text."""
    found, fence = [[]], None
    for line in markdown.splitlines():
        mark = re.match(r"\s*(```|\$\$$)", line)
        if mark:
            fence = None if fence == mark[1] else fence or mark[1]
        if line.strip() or fence:
            found[-1].append(line)
        elif found[-1]:
            found.append([])
    return ["\n".join(lines) for lines in found if lines]


# --- figures --------------------------------------------------------------------------------------


def figure_html(cell, number, lesson, target):
    """Output `number` of a cell as HTML with its description; None if it is not a figure.

    The picture is written below `target`/figures/, and the page asks for it there.
    """
    output = cell.outputs[number]
    data = output.get("data", {})
    kind = next((kind for kind in PICTURES if kind in data), None)
    if kind is None:
        if LIVE in data:
            raise Problem(f"{lesson}, cell {cell['id']}: no still picture; `make outputs` makes it")
        return None
    alt = output.metadata.get(kind, {}).get("alt", "")
    if len(alt) < 20:
        where = '{"mystnb": {"image": {"alt": "…"}}}'
        raise Problem(f"{lesson}, cell {cell['id']}: no description. Metadata of the cell: {where}")
    content = data[kind].encode() if kind == "image/svg+xml" else base64.b64decode(data[kind])
    picture = f"figures/{lesson}/{cell['id']}-{number}.{PICTURES[kind]}"
    (target / picture).parent.mkdir(parents=True, exist_ok=True)
    (target / picture).write_bytes(content)
    width, height = _size(kind, content)
    alt, size = html.escape(alt), f'width="{width}" height="{height}"'
    image = f'<img src="{picture}" {size} loading="lazy" alt="{alt}">'
    if LIVE not in data:
        return f'<div class="figure">{image}</div>'
    figure = {key: data[LIVE][key] for key in ("data", "layout", "frames") if key in data[LIVE]}
    figure = json.dumps(figure).replace("</", "<\\/")
    return (
        f'<div class="figure plotly-figure" role="group" aria-label="{alt}">'
        f'<script type="application/json">{figure}</script>{image}</div>'
    )


def _size(kind, content):
    if kind == "image/png":
        return int.from_bytes(content[16:20], "big"), int.from_bytes(content[20:24], "big")
    box = re.search(rb'viewBox="0 0 ([\d.]+) ([\d.]+)"', content)
    return round(float(box[1])), round(float(box[2]))


# --- what the browser loads -----------------------------------------------------------------------


def node_packages():
    """MathJax and reveal.js in the versions of docs/package-lock.json, fetched with npm once."""
    folder = BUILD / "npm"
    lock = (ROOT / "docs" / "package-lock.json").read_text(encoding="utf-8")
    done = folder / "fetched"
    if not done.exists() or done.read_text(encoding="utf-8") != lock:
        npm = shutil.which("npm")
        if npm is None:
            raise Problem("npm fetches MathJax and reveal.js: install Node.js, https://nodejs.org")
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(ROOT / "docs" / name, folder)
        command = [npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--silent"]
        subprocess.run(command, cwd=folder, check=True)
        done.write_text(lock, encoding="utf-8")
    return folder / "node_modules"


def copy_scripts(target):
    """MathJax in one file (SVG, so it needs no fonts), and plotly.js of the installed Plotly."""
    import plotly

    target.mkdir(parents=True, exist_ok=True)
    shutil.copy(node_packages() / "mathjax" / "es5" / "tex-svg.js", target / "mathjax.js")
    shutil.copy(Path(plotly.__file__).parent / "package_data" / "plotly.min.js", target)
    shutil.copy(ROOT / "docs" / "_static" / "figures.js", target)
