"""Execute the lessons in full and judge what they say.

    python tools/run.py                        all English lessons, as copies under build/; tracked files stay as they are
    python tools/run.py 02 03                  only these
    python tools/run.py --store                the author's: needs the real data; stores the outputs in the English notebooks

Prints one line per lesson while it works, then a table: lesson, minutes, peak memory, data source, and each headline figure
beside the range that `tests/expected.toml` gives for it. Exits with 1 if a lesson fails or a figure is outside its range.
"""

import argparse
import json
import os
import re
import shutil
import sys
import time
import tomllib
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbconvert import HTMLExporter

import helpers

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "build"
PEAK = """
import sys as _sys
if _sys.platform == "win32":
    import psutil as _psutil
    _peak = _psutil.Process().memory_info().peak_wset
else:
    import resource as _resource
    _peak = _resource.getrusage(_resource.RUSAGE_SELF).ru_maxrss * (1 if _sys.platform == "darwin" else 1024)
print(_peak)
"""
LOG = re.compile(
    r"WARNING: All log messages before absl|[IWE]\d{4} \d\d:\d\d:\d\d"
)  # how TensorFlow's own lines begin


def printed(notebook):
    """All text that the code cells of a notebook printed."""
    return "".join(
        output.text
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
        if output.output_type == "stream" and output.name == "stdout"
    )


def figures(notebook):
    """{name: value} of the headline figures that a notebook printed with `helpers.record`."""
    return {name: float(value) for name, value in helpers.FIGURE.findall(printed(notebook))}


def sources(notebook):
    """{data set: source} from the lines that the loaders print, such as {"stock": "real", "imdb": "train half"}.

    Of the prices only Samsung's count: a lesson may load the simulated series, or another share, on purpose.
    """
    return dict(
        re.findall(
            r"^\[data\] (stock|imdb|glove)(?: 005930\.KS)?: ([\w ]+),", printed(notebook), re.M
        )
    )


def judge(name, found, source, expected):
    """Rows (figure, value, range, verdict) for one lesson. A figure that needs real data is judged only where it was there."""
    rows = []
    for figure, rule in expected.get(name, {}).items():
        value = found.get(figure)
        wanted = f"{rule['min']:g} to {rule['max']:g}"
        needs = rule.get("needs")
        if needs and source.get(needs) != "real":
            verdict = f"not judged: {needs} {source.get(needs, 'missing')}"
        elif value is None:
            verdict = "MISSING"
        else:
            verdict = "ok" if rule["min"] <= value <= rule["max"] else "OUTSIDE"
        rows.append((figure, "" if value is None else f"{value:g}", wanted, verdict))
    rows += [
        (figure, f"{value:g}", "", "NOT IN expected.toml")
        for figure, value in found.items()
        if figure not in expected.get(name, {})
    ]
    return rows


def execute(notebook, folder, log=None):
    """Run every cell; (seconds, peak memory in bytes, error or None). What TensorFlow says about the machine goes to a log."""
    client = NotebookClient(
        notebook, timeout=1800, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    )
    start = time.perf_counter()
    error, peak = None, 0
    with client.setup_kernel(stderr=log):
        try:
            for index, cell in enumerate(notebook.cells):
                client.execute_cell(cell, index, store_history=cell.cell_type == "code")
        except CellExecutionError as problem:
            error = problem
        seconds = time.perf_counter() - start
        probe = nbformat.v4.new_code_cell(PEAK)
        if error is None:
            notebook.cells.append(probe)
            client.execute_cell(probe, len(notebook.cells) - 1, store_history=False)
            notebook.cells.pop()
            peak = int(probe.outputs[0].text)
    return seconds, peak, error


def cleaned(notebook):
    """What may be stored: no time stamps, widget views or log lines of TensorFlow; of private figures only the still picture."""
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type != "code":
            continue
        cell.outputs = [
            output
            for output in cell.outputs
            if "application/vnd.jupyter.widget-view+json" not in output.get("data", {})
            and not (output.get("name") == "stderr" and LOG.match(output.text))
        ]
        for one, two in zip(
            cell.outputs[-2::-1], cell.outputs[:0:-1], strict=True
        ):  # what was printed in pieces
            if one.get("name") == two.get("name") == "stdout":
                one.text += two.text
                cell.outputs = [output for output in cell.outputs if output is not two]
        for output in cell.outputs:
            if (
                output.get("metadata", {}).get("rnn", {}).get("private")
                and "application/vnd.plotly.v1+json" in output.data
            ):
                if "image/png" not in output.data:
                    raise SystemExit(
                        f"cell {cell['id']}: no still picture (install the `author` extra)"
                    )
                del output.data["application/vnd.plotly.v1+json"], output.data["text/html"]
    notebook.metadata = {
        "kernelspec": {
            "display_name": "Python 3 (ipykernel)",
            "language": "python",
            "name": "python3",
        },
        "language_info": {"name": "python"},
    }
    return notebook


def with_outputs(current, executed):
    """The notebook as it stands in its file by now, with the outputs of the cells whose code is still what was executed.

    So what somebody edits while a lesson runs for minutes (text, slide metadata) is not undone.
    """
    ran = {cell["id"]: cell for cell in executed.cells if cell.cell_type == "code"}
    for cell in current.cells:
        if cell.cell_type == "code" and cell["id"] in ran and ran[cell["id"]].source == cell.source:
            cell.outputs, cell.execution_count = (
                ran[cell["id"]].outputs,
                ran[cell["id"]].execution_count,
            )
    current.metadata = executed.metadata
    return current


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "lessons", nargs="*", help="numbers or the beginnings of names; all lessons if missing"
    )
    parser.add_argument("--store", action="store_true")
    arguments = parser.parse_args()
    os.environ.pop("RNN_FAST", None)
    if arguments.store:
        os.environ["RNN_STILLS"] = "1"
    expected = tomllib.loads((ROOT / "tests" / "expected.toml").read_text(encoding="utf-8"))
    paths = sorted((ROOT / "notebooks" / "en").glob("*.ipynb"))
    paths = [
        path
        for path in paths
        if not arguments.lessons or path.name.startswith(tuple(arguments.lessons))
    ]
    folder = BUILD / "en"
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copytree(ROOT / "notebooks" / "figures", BUILD / "figures", dirs_exist_ok=True)

    failed, table = False, []
    for number, path in enumerate(paths, 1):
        print(f"[{number}/{len(paths)}] {path.stem} ...", end=" ", flush=True)
        notebook = nbformat.read(path, as_version=4)
        with (folder / f"{path.stem}.log").open("w") as log:
            seconds, peak, error = execute(notebook, folder, log)
        nbformat.write(notebook, folder / path.name)
        page, _ = HTMLExporter(embed_images=True).from_notebook_node(
            notebook, {"metadata": {"name": path.stem, "path": str(folder)}}
        )
        (folder / f"{path.stem}.html").write_text(page, encoding="utf-8")
        print("FAILED" if error else "done", f"in {seconds / 60:.1f} min", flush=True)
        if error:
            failed = True
            print(error)
            continue
        source = sources(notebook)
        rows = judge(path.stem, figures(notebook), source, expected)
        failed |= any(row[3].isupper() or row[3].startswith("NOT IN") for row in rows)
        data = ", ".join(f"{name} {kind}" for name, kind in source.items()) or "none"
        table.append((path.stem, seconds, peak, data, rows))
        if arguments.store:
            if any(kind != "real" for kind in source.values()):
                raise SystemExit(
                    f"{path.stem}: stored outputs come from real data only; found {data}"
                )
            stored = with_outputs(nbformat.read(path, as_version=4), cleaned(notebook))
            path.write_text(nbformat.writes(stored) + "\n", encoding="utf-8")

    print(f"\n{'lesson':<24}{'minutes':>8}{'peak MB':>9}  data")
    for name, seconds, peak, data, rows in table:
        print(f"{name:<24}{seconds / 60:>8.1f}{peak / 2**20:>9.0f}  {data}")
        for figure, value, wanted, verdict in rows:
            print(f"    {figure:<40}{value:>12}   expected {wanted:<22}{verdict}")
    measured = BUILD / "run.json"  # the latest of each lesson, for `make bench`
    latest = {
        row["lesson"]: row
        for row in (json.loads(measured.read_text()) if measured.is_file() else [])
    }
    latest |= {
        name: {"lesson": name, "seconds": seconds, "peak": peak}
        for name, seconds, peak, _, _ in table
    }
    measured.write_text(json.dumps([latest[name] for name in sorted(latest)]))
    print(f"\nExecuted pages: {folder.relative_to(ROOT)}/*.html")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
