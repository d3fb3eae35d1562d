"""A Chromium, and servers for it to look at. `make test-browser` installs what is missing; `make test` does not come here."""

import contextlib
import functools
import http.server
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

import course
import nbformat
import pytest
import sync

ROOT = Path(__file__).resolve().parents[2]
# Given [column, more]: the code cells, outputs and tables that scroll sideways or stand out of `column`
BLOCKS = """([column, more]) => [...document.querySelectorAll(`${column} pre, ${column} table, ${column} .output${more}`)]
    .filter(block => {
        if (!block.clientWidth && !block.getBoundingClientRect().width) return false;
        const edge = block.closest(column).getBoundingClientRect().right + 1;
        const scrolls = getComputedStyle(block).display !== "table" && block.scrollWidth > block.clientWidth + 1;
        return scrolls || block.getBoundingClientRect().right > edge;
    })
    .map(block => `${block.scrollWidth} > ${block.clientWidth}: ${block.innerText.slice(0, 60)}`)"""
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
]
QUIET += ["--disable-component-update", "--disable-sync"]


def chromium():
    """The path of a Chromium. On Debian or Ubuntu, as root, it is installed when there is none."""
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    found = next(filter(None, map(shutil.which, names)), None)
    if not found and shutil.which("apt-get") and getattr(os, "getuid", lambda: 1)() == 0:
        for command in (
            ["update"],
            ["install", "--yes", "--no-install-recommends", "chromium", "fonts-noto-cjk"],
        ):
            subprocess.run(
                ["apt-get", "-qq", *command],
                capture_output=True,
                env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
            )
        found = shutil.which("chromium")
    return found


@pytest.fixture(scope="session")
def browser():
    path = chromium()
    if not path:
        pytest.exit(
            "These tests need Chromium: install it (Debian: apt-get install chromium), then run `make test-browser`.",
            1,
        )
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser):
    """A function that opens a page which reaches this machine only; what went wrong in the page is in `.problems`."""
    contexts = []

    def open_(address, **options):
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        contexts.append(context)
        page = context.new_page()
        page.problems = []
        page.on("pageerror", lambda error: page.problems.append(str(error)))
        page.route(
            lambda url: (
                not url.startswith(
                    ("http://127.0.0.1", "http://localhost", "file:", "data:", "blob:")
                )
            ),
            lambda r: r.abort(),
        )
        page.goto(address, wait_until="load", timeout=60_000)
        return page

    yield open_
    for context in contexts:
        context.close()


def free_port():
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as free:
        return free.getsockname()[1]


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    """(address, folder) of a JupyterLab on a copy of the course, whose lesson 01 has no outputs yet; folded.ipynb is beside."""
    folder = tmp_path_factory.mktemp("course")
    for name in ("helpers.py", "notebooks", "data/glove_subset.npz", "data/simulated_prices.csv"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, folder / name)
    for path in folder.glob("notebooks/*/01*.ipynb"):
        notebook = nbformat.read(path, as_version=4)
        for cell in notebook.cells:
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], None
        nbformat.write(notebook, path)
    cells = [nbformat.v4.new_code_cell(source, id=source) for source in ("seen", "unseen")]
    cells[1].metadata["tags"] = ["hide-input"]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    folded = sync.folded(nbformat.v4.new_notebook(cells=cells, metadata=kernel))
    course.write(folded, folder / "folded.ipynb")
    settings = tmp_path_factory.mktemp("settings")
    for name, values in (
        (
            "notebook-extension/tracker",
            {"windowingMode": "none"},
        ),  # every cell is in the page, not only those in view
        ("apputils-extension/notification", {"fetchNews": "false", "checkForUpdates": False}),
    ):
        path = settings / "@jupyterlab" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values), encoding="utf-8")
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "jupyterlab",
        "--no-browser",
        "--allow-root",
        "--ip=127.0.0.1",
        f"--port={port}",
    ]
    command += [
        f"--ServerApp.root_dir={folder}",
        "--IdentityProvider.token=test",
        f"--LabApp.user_settings_dir={settings}",
    ]
    command += [f"--LabApp.workspaces_dir={tmp_path_factory.mktemp('workspaces')}"]
    environment = {**os.environ, "PYTHONPATH": str(folder)}  # with what tests/conftest.py has set
    log = (folder / "lab.log").open("w")
    process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=folder)
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(240):
            assert process.poll() is None, (folder / "lab.log").read_text()[-2000:]
            try:
                urllib.request.urlopen(f"{address}/api?token=test", timeout=5).close()
                break
            except OSError:
                time.sleep(0.5)
        yield address, folder
    finally:
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:  # it waits for a kernel that is still starting
            process.kill()
            process.wait()


def built(name):
    folder = ROOT / "build" / name
    if not (folder / "index.html").is_file():
        pytest.fail(
            f"build/{name} is missing: run `make {name}` (`make test-browser` does).", pytrace=False
        )
    return folder


@pytest.fixture(scope="session")
def site():
    """The address of the built site, served from this machine."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Quiet, directory=str(built("site")))
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()


@pytest.fixture(scope="session")
def slides():
    """The address of the folder of decks: opened from the disk, as a teacher would."""
    return built("slides").as_uri()
