"""What the site and the slides share: stored outputs as HTML, blocks of markdown, and the JavaScript that both bundle."""

import base64
import html
import json
import re
import shutil
import subprocess
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "build"
LANGUAGES = ("en", "ko")
LIVE = "application/vnd.plotly.v1+json"
PICTURES = {"image/svg+xml": "svg", "image/png": "png"}


class MissingOutput(Exception):
    """A stored notebook lacks something that its page needs."""


def lessons(root=ROOT):
    """The names of the lessons, such as "05_tokenization", in order."""
    return sorted(path.stem for path in (root / "notebooks" / "en").glob("*.ipynb"))


def read(language, lesson, root=ROOT):
    return nbformat.read(root / "notebooks" / language / f"{lesson}.ipynb", as_version=4)


def heading(notebook):
    """The lesson's title: the first line of its first cell."""
    return notebook.cells[0].source.splitlines()[0].removeprefix("# ")


def without_badges(title):
    """A title cell without its line of badges: what they do is done by the page's own buttons."""
    return re.sub(r"^\[!\[[^\]]*\]\(https://colab\.research.*\n\n?", "", title, flags=re.M)


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


# --- figures --------------------------------------------------------------------------------------------------------


def figure_html(output, name, folder, address):
    """A stored figure as HTML with its description; the picture is written to `folder` and asked for at `address`.

    None for outputs that are not figures.
    """
    data = output.get("data", {})
    kind = next((kind for kind in PICTURES if kind in data), None)
    if kind is None:
        if LIVE in data:
            raise MissingOutput(f"{name}: an interactive figure without a still picture")
        return None
    alt = output.metadata.get(kind, {}).get("alt", "")
    if len(alt) < 20:
        raise MissingOutput(f"{name}: a figure without a description")
    content = data[kind].encode() if kind == "image/svg+xml" else base64.b64decode(data[kind])
    folder.mkdir(parents=True, exist_ok=True)
    picture = f"{name}.{PICTURES[kind]}"
    (folder / picture).write_bytes(content)
    width, height = _size(kind, content)
    image = f'<img src="{address}/{picture}" width="{width}" height="{height}" alt="{html.escape(alt)}">'
    if LIVE not in data:
        return f'<div class="figure">{image}</div>'
    figure = json.dumps(
        {key: data[LIVE][key] for key in ("data", "layout", "frames") if key in data[LIVE]}
    )
    figure = figure.replace("</", "<\\/")
    return (
        f'<div class="figure plotly-figure" role="group" aria-label="{html.escape(alt)}">'
        f'<script type="application/json">{figure}</script>{image}</div>'
    )


def _size(kind, content):
    if kind == "image/png":
        return int.from_bytes(content[16:20], "big"), int.from_bytes(content[20:24], "big")
    box = re.search(rb'viewBox="0 0 ([\d.]+) ([\d.]+)"', content)
    return round(float(box[1])), round(float(box[2]))


# --- what the browser loads -----------------------------------------------------------------------------------------


def node_packages():
    """MathJax and reveal.js in the versions of docs/package-lock.json, fetched with npm once."""
    folder = BUILD / "npm"
    lock = (ROOT / "docs" / "package-lock.json").read_text(encoding="utf-8")
    done = folder / "fetched"
    if not done.exists() or done.read_text(encoding="utf-8") != lock:
        npm = shutil.which("npm")
        if npm is None:
            raise SystemExit(
                "npm is needed once, to fetch MathJax and reveal.js. Install Node.js (https://nodejs.org)."
            )
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(ROOT / "docs" / name, folder)
        subprocess.run(
            [npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--silent"],
            cwd=folder,
            check=True,
        )
        done.write_text(lock, encoding="utf-8")
    return folder / "node_modules"


def copy_scripts(target):
    """MathJax in one file (SVG, so it needs no fonts) and plotly.js from the installed plotly package."""
    import plotly

    target.mkdir(parents=True, exist_ok=True)
    shutil.copy(node_packages() / "mathjax" / "es5" / "tex-svg-full.js", target / "mathjax.js")
    shutil.copy(Path(plotly.__file__).parent / "package_data" / "plotly.min.js", target)
    shutil.copy(ROOT / "docs" / "_static" / "figures.js", target)
