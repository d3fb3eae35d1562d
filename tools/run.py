"""Execute the lessons in full and judge what they compute.

    python tools/run.py                   all English lessons, as copies under build/; tracked files stay as they are
    python tools/run.py 02 03             only these
    python tools/run.py --store           the author's: needs the real data; both languages, one lesson at a time; stores outputs

Names each page as soon as it is there and ends with a table: lesson, minutes, peak memory, data source, and each headline
figure beside the range that `tests/expected.toml` gives for it. Exits with 1 if a lesson fails or a figure is outside its
range. Seconds are reported, never judged.
"""

import argparse
import base64
import datetime
import hashlib
import importlib.metadata
import json
import os
import platform
import re
import shutil
import sys
import threading
import time
import tomllib
import zlib
from concurrent.futures import ThreadPoolExecutor

from course import BUILD, LANGUAGES, NOTEBOOKS, ROOT, chosen, path, read, tags, write
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError
from nbconvert import HTMLExporter

RESULTS = NOTEBOOKS / "results.json"
LIVE = "application/vnd.plotly.v1+json"
WIDGET = "application/vnd.jupyter.widget-view+json"
PEAK = (
    "__import__('psutil').Process().memory_info().peak_wset"
    if sys.platform == "win32"
    else "__import__('resource').getrusage(0).ru_maxrss"
    + ("" if sys.platform == "darwin" else " * 1024")
)
ROOM = 2_500_000_000  # bytes of memory that a lesson may need beside another one


def expected(lesson=None):
    """tests/expected.toml, or the rules of one lesson: {figure: {after, value, min, max, why, needs}}."""
    rules = tomllib.loads((ROOT / "tests" / "expected.toml").read_text(encoding="utf-8"))
    return rules if lesson is None else rules.get(lesson, {})


def printed(notebook):
    """All text that the code cells of a notebook printed."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return "".join(output.text for output in outputs if output.get("name") == "stdout")


def sources(notebook):
    """{data set: source} from the lines that the loaders print, such as {"stock": "real", "imdb": "train half"}.

    Of the prices only Samsung's count: a lesson may load the simulated series, or another share, on purpose.
    """
    found = re.findall(
        r"^\[data\] (stock|imdb|glove|nsmc)(?: 005930\.KS)?: ([\w ]+),", printed(notebook), re.M
    )
    return {name: "real" if kind == "실제 데이터" else kind for name, kind in found}


def judge(rules, found, source):
    """Rows (figure, value, range, verdict). A figure that needs real data is judged only where it was there."""
    rows = []
    for figure, rule in rules.items():
        value, needs = found.get(figure), rule.get("needs")
        if needs and source.get(needs) != "real":
            verdict = f"not judged: {needs} {source.get(needs, 'missing')}"
        elif not isinstance(value, (int, float)):
            verdict = f"MISSING {value or ''}".strip()
        else:
            verdict = "ok" if rule["min"] <= value <= rule["max"] else "OUTSIDE"
        shown = f"{value:g}" if isinstance(value, (int, float)) else ""
        rows.append((figure, shown, f"{rule['min']:g} to {rule['max']:g}", verdict))
    return rows


def wrong(rows):
    return [row for row in rows if row[3].split()[0].isupper()]


def source_hash(cell):
    """What a stored output remembers of the code that made it."""
    return hashlib.sha256(cell.source.encode()).hexdigest()[:12]


# --- one lesson -----------------------------------------------------------------------------------------------------


class Lesson:
    """One lesson in one language: executed, judged, written."""

    def __init__(self, name, language):
        self.name, self.language = name, language
        self.rules = expected(name) if language == "en" else {}  # they name strings in English
        self.folder = BUILD / language
        self.notebook = read(language, name)
        self.section, self.error, self.client = "", None, None
        self.seconds, self.peak, self.figures = 0, 0, {}

    def ask(self, expressions):
        """{name: value} of Python expressions, evaluated in the kernel; for one that fails, its error as text."""
        asked = {name: f"float({expression})" for name, expression in expressions.items()}
        message = self.client.kc.execute("", silent=True, user_expressions=asked)
        answers = self.client.wait_for_reply(message)["content"]["user_expressions"]

        def value(answer):
            if answer["status"] == "ok":
                return float(answer["data"]["text/plain"])
            return f"({answer['ename']}: {answer['evalue']})"

        return {name: value(answer) for name, answer in answers.items()}

    def execute(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        settings = {
            "timeout": 1800,
            "kernel_name": "python3",
            "coalesce_streams": True,
            "record_timing": False,
        }
        resources = {"metadata": {"path": str(NOTEBOOKS / self.language)}}
        self.client = NotebookClient(self.notebook, resources=resources, **settings)
        start = time.perf_counter()
        with (self.folder / f"{self.name}.log").open(
            "w"
        ) as log:  # what TensorFlow says about the machine
            try:
                with self.client.setup_kernel(stderr=log):
                    self._execute_cells()
            except (CellExecutionError, DeadKernelError) as problem:
                self.error = f"cell {self.cell['id']}: {problem}"
        self.seconds = time.perf_counter() - start
        write(self.notebook, self.folder / f"{self.name}.ipynb")
        names = {"metadata": {"name": self.name, "path": str(self.folder)}}
        page, _ = HTMLExporter(embed_images=True).from_notebook_node(self.notebook, names)
        (self.folder / f"{self.name}.html").write_text(page, encoding="utf-8")

    def _execute_cells(self):
        for index, cell in enumerate(self.notebook.cells):
            heading = re.match(r"## (.*)", cell.source)
            if heading:
                self.section = heading[1]
            if cell.cell_type == "code":
                self.cell = cell
                self.client.execute_cell(cell, index)
                here = {
                    name: rule["value"]
                    for name, rule in self.rules.items()
                    if rule["after"] == cell["id"]
                }
                self.figures |= self.ask(here) if here else {}
        self.peak = self.ask({"peak": PEAK})["peak"]

    def rows(self):
        return judge(self.rules, self.figures, sources(self.notebook))

    def problem(self):
        """What is wrong in a few words, or nothing."""
        if self.error:
            return f"FAILED in {self.error.split(':')[0]}"
        outside = [figure for figure, *_ in wrong(self.rows())]
        return f"OUTSIDE: {', '.join(outside)}" if outside else ""


# --- storing --------------------------------------------------------------------------------------------------------


def still(live):
    """The picture of a Plotly figure as it looks before anybody moves it."""
    import plotly.io

    figure = plotly.io.from_json(json.dumps(live), skip_invalid=True)
    height = figure.layout.height or 450
    return base64.b64encode(figure.to_image(format="png", width=900, height=height)).decode()


def cleaned(cell):
    """The outputs of a cell as they may be stored: with the figure's description and the still picture of an interactive
    figure, which stands alone where the figure holds data that is not ours; no widgets, no bars, no log lines."""
    outputs = []
    for output in cell.outputs:
        data = output.get("data", {})
        if WIDGET in data or output.get("name") == "stderr":
            continue
        if "private-figure" in tags(cell) and set(data) == {"text/html"}:
            continue  # the script that draws the figure
        alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt")
        if LIVE in data:
            data["image/png"] = still(data[LIVE])
            if "private-figure" in tags(cell):
                del data[LIVE], data["text/html"]
            else:
                name = f"figure-{zlib.crc32(json.dumps(data[LIVE], sort_keys=True).encode()):08x}"  # the same in every run
                data["text/html"] = re.sub(
                    r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", name, data["text/html"]
                )
        if "image/png" in data:
            if not alt:
                raise SystemExit(
                    f"{cell['id']}: a figure without a description (metadata: mystnb, image, alt)"
                )
            output.metadata = {"image/png": {"alt": alt}}
            data["text/plain"] = alt
        if output.output_type == "execute_result":
            output.execution_count = None
        outputs.append(output)
    return outputs


def with_outputs(current, executed):
    """The notebook as it stands in its file by now, with the outputs of the cells whose code is still what was executed.

    So what somebody edits while a lesson runs for minutes (text, slide metadata) is not undone.
    """
    ran = {cell["id"]: cell for cell in executed.cells if cell.cell_type == "code"}
    for cell in current.cells:
        if cell.cell_type == "code" and cell["id"] in ran and ran[cell["id"]].source == cell.source:
            cell.outputs, cell.execution_count = cleaned(ran[cell["id"]]), None
            cell.metadata["ran"] = source_hash(cell)
    return current


def store(lesson):
    """Write the outputs into the lesson; of an English one also its figures into notebooks/results.json."""
    source = sources(lesson.notebook)
    others = (
        "not official",
        "공식 파일 아님",
    )  # of NSMC: from the same raw reviews
    if any(kind not in ("real", *others) for kind in source.values()):
        lesson.error = f"not stored: outputs come from real data only, here is {source}"
        return print(f"    {lesson.error}")
    current = read(lesson.language, lesson.name)
    write(with_outputs(current, lesson.notebook), path(lesson.language, lesson.name))
    if lesson.language != "en":
        return
    results = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    versions = ", ".join(
        f"{name} {importlib.metadata.version(name)}" for name in ("tensorflow", "keras", "numpy")
    )
    results[lesson.name] = {
        "made": f"{datetime.date.today()}",
        "machine": f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python "
        f"{platform.python_version()}, {versions}",
        "minutes": round(lesson.seconds / 60, 1),
        "peak_mb": round(lesson.peak / 2**20),
        "figures": {name: float(f"{value:.9g}") for name, value in sorted(lesson.figures.items())},
    }
    RESULTS.write_text(json.dumps(dict(sorted(results.items())), indent=1) + "\n", encoding="utf-8")


# --- all of them ----------------------------------------------------------------------------------------------------


def side_by_side():
    """How many lessons run at once: one keeps little more than one core busy."""
    import psutil

    return max(1, min(os.cpu_count() or 1, int(psutil.virtual_memory().available // ROOM)))


def show_progress(lessons, stop):
    """On a terminal: which section of which lesson is running, on one line."""
    while not stop.wait(0.5):
        running = [lesson for lesson in lessons if lesson.client and not lesson.seconds]
        line = " · ".join(f"{lesson.name[:2]} {lesson.section}" for lesson in running)
        print(f"\r\033[K{line[: shutil.get_terminal_size().columns - 1]}", end="", flush=True)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "lessons", nargs="*", help="numbers or the beginnings of names; all lessons if missing"
    )
    parser.add_argument(
        "--store", action="store_true", help="store the outputs in the notebooks of both languages"
    )
    parser.add_argument("--language", choices=LANGUAGES, help="only this one")
    arguments = parser.parse_args()
    os.environ["RNN_FAST"] = "0"
    if arguments.store:  # Chromium finds the font of the Korean figures here
        os.environ["FONTCONFIG_FILE"] = str(ROOT / "tools" / "fonts.conf")
    names = chosen(arguments.lessons)
    languages = (
        [arguments.language] if arguments.language else LANGUAGES if arguments.store else ["en"]
    )
    lessons = [Lesson(name, language) for name in names for language in languages]
    earlier = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    shutil.copytree(NOTEBOOKS / "figures", BUILD / "figures", dirs_exist_ok=True)

    def run(lesson):
        lesson.execute()
        page = lesson.folder.relative_to(ROOT) / f"{lesson.name}.html"
        state = lesson.problem() or "done"
        print(f"{clear}{page}   {state} after {lesson.seconds / 60:.1f} min", flush=True)
        if arguments.store and state == "done":
            store(lesson)

    stop, clear = threading.Event(), "\r\033[K" if sys.stdout.isatty() else ""
    longest_first = sorted(
        lessons, key=lambda lesson: -earlier.get(lesson.name, {}).get("minutes", 0)
    )
    workers = 1 if arguments.store else side_by_side()
    print(
        f"{len(lessons)} lessons, {workers} at a time; each page is named as soon as it is there",
        flush=True,
    )
    if sys.stdout.isatty():
        threading.Thread(target=show_progress, args=(lessons, stop), daemon=True).start()
    pool = ThreadPoolExecutor(workers)
    try:
        list(pool.map(run, lessons if arguments.store else longest_first))
    except KeyboardInterrupt:
        stop.set()
        for lesson in lessons:
            if lesson.client and lesson.client.km and not lesson.seconds:
                lesson.client.km.signal_kernel(9)
        print(f"{clear}Stopped. What was finished is in {BUILD.relative_to(ROOT)}/.", flush=True)
        os._exit(130)
    stop.set()
    report(lessons)
    sys.exit(any(lesson.problem() for lesson in lessons))


def report(lessons):
    """The table: lesson, minutes, peak memory, data source, and each headline figure beside its range."""
    print(f"\n{'lesson':<28}{'minutes':>8}{'peak MB':>9}  data")
    for lesson in lessons:
        data = ", ".join(f"{name} {kind}" for name, kind in sources(lesson.notebook).items())
        name = f"{lesson.language}/{lesson.name}"
        print(f"{name:<28}{lesson.seconds / 60:>8.1f}{lesson.peak / 2**20:>9.0f}  {data}")
        for figure, value, wanted, verdict in lesson.rows():
            print(f"    {figure:<40}{value:>12}   expected {wanted:<22}{verdict}")
        if lesson.error:
            print(f"    {lesson.error}")


if __name__ == "__main__":
    main()
