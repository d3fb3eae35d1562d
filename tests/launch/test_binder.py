"""Binder builds from the right files, with a Python and packages that the course runs on."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import course
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
ENVIRONMENT = (ROOT / "environment.yml").read_text(encoding="utf-8")
REPO2DOCKER = shutil.which("jupyter-repo2docker", path=str(Path(sys.executable).parent))


def test_environment_names_a_python_of_the_course_and_lists_no_package_twice():
    minor = int(re.search(r"- python=3\.(\d+)", ENVIRONMENT)[1])
    low, high = map(int, re.fullmatch(r">=3\.(\d+),<3\.(\d+)", PROJECT["requires-python"]).groups())
    assert low <= minor < high
    assert "--editable .[test]" in ENVIRONMENT and "--constraint constraints.txt" in ENVIRONMENT
    for package in PROJECT["dependencies"]:
        name = re.match(r"[\w-]+", package)[0]
        assert f"- {name}\n" not in ENVIRONMENT, package


@pytest.mark.parametrize("name", ["postBuild", "start"])
def test_scripts_stop_at_the_first_error(name):
    script = ROOT / name
    lines = script.read_text(encoding="utf-8").splitlines()
    assert lines[0] == "#!/bin/bash" and "set -euo pipefail" in lines
    if os.name == "posix":
        assert os.access(script, os.X_OK)
        subprocess.run(["bash", "-n", script], check=True)


@pytest.mark.skipif(os.name != "posix", reason="Binder runs Linux")
def test_start_runs_the_server_with_the_data_of_the_course():
    for before, after in (({}, "1"), ({"RNN_OFFLINE": ""}, "")):
        environment = {
            name: value for name, value in os.environ.items() if name != "RNN_OFFLINE"
        } | before
        command = [str(ROOT / "start"), "bash", "-c", 'echo "$RNN_OFFLINE"']
        said = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
        assert said.stdout.strip() == after


@pytest.mark.skipif(not REPO2DOCKER, reason="`make test-launch` installs repo2docker")
def test_repo2docker_picks_our_files(tmp_path):
    """The dry run prints the Dockerfile. It wants no Docker, and only the files that it decides by."""
    for name in ("environment.yml", "postBuild", "start", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path)
    dry = subprocess.run(
        [REPO2DOCKER, "--no-build", "--debug", "."],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    said = dry.stdout + dry.stderr
    assert dry.returncode == 0, said[-2000:]
    minor = re.search(r"- python=3\.(\d+)", ENVIRONMENT)[1]
    assert f"Building conda environment for python=3.{minor}" in said
    assert '--file "environment.yml"' in said
    assert "RUN ./postBuild\n" in said
    assert 'ENV R2D_ENTRYPOINT="${REPO_DIR}/start"' in said


# What the schema of the chart Zero to JupyterHub documents (jupyterhub/values.schema.yaml, version 4) and the course uses;
# what stands below these keys is the matter of JupyterHub, Kubernetes or the person who fills it in.
CHART = """
hub.config proxy.https.enabled proxy.https.hosts proxy.https.letsencrypt.contactEmail
singleuser.image.name singleuser.image.tag singleuser.defaultUrl singleuser.cmd singleuser.startTimeout
singleuser.cpu.guarantee singleuser.cpu.limit singleuser.memory.guarantee singleuser.memory.limit
singleuser.storage.capacity singleuser.extraEnv singleuser.lifecycleHooks
cull.enabled cull.timeout cull.every prePuller.hook.enabled prePuller.continuous.enabled
""".split()


def test_kubernetes_values_have_only_keys_that_the_chart_documents():
    def paths(values, before=""):
        for key, value in values.items():
            path = f"{before}{key}"
            if path in CHART or not isinstance(value, dict):
                yield path
            else:
                yield from paths(value, f"{path}.")

    values = yaml.safe_load((ROOT / "deploy" / "values.yaml").read_text(encoding="utf-8"))
    assert set(paths(values)) == set(CHART)
    most = max(about.get("memory", 1) for about in course.lessons().values())
    assert values["singleuser"]["memory"] == {"guarantee": "1G", "limit": f"{most}G"}
