"""A class on one Linux machine: each student is a Unix account of their own, with a limit of memory of their own.

`deploy/start.sh` runs JupyterHub with this file, as root: only root can start a server as somebody else. What a teacher may
want to change comes from the environment; deploy/README.md lists it.
"""

import os
import pwd
import shutil
import subprocess
import sys
from pathlib import Path

from jupyterhub.auth import Authenticator
from jupyterhub.spawner import LocalProcessSpawner

HERE = (
    Path(__file__).resolve().parent
    if "__file__" in globals()
    else Path(os.environ["RNN_HUB_CONFIG"])
)
sys.path.insert(0, str(HERE))
import students  # noqa: E402

PREFIX = "rnn-"  # the account of student "kim" is rnn-kim: no name in the list can be that of an account of the system
HUB = Path(
    os.environ["RNN_HUB_DIR"]
)  # the environment of Python packages; readable by every account
STATE = Path(
    os.environ["RNN_HUB_STATE"]
)  # the list of students, the hub's database; for root alone
HOMES = Path(os.environ.get("RNN_HUB_HOMES", "/home"))
PORT = int(os.environ.get("RNN_HUB_PORT", "8000"))
MEMORY = os.environ.get("RNN_HUB_MEMORY", "2G")  # for all processes of one student together
IDLE = int(
    os.environ.get("RNN_HUB_IDLE", "3600")
)  # seconds after which a server that nobody uses is stopped


# --- who may log in -------------------------------------------------------------------------------------------------


class ListAuthenticator(Authenticator):
    """The names and passwords of `students.txt`, which `deploy/students.py` writes. Read at every login: no restart needed."""

    async def authenticate(self, handler, data):
        return (
            data["username"]
            if students.right(STATE / "students.txt", data["username"], data["password"])
            else None
        )


# --- one account and one limit of memory per student ---------------------------------------------------------------


def cgroup(name):
    """The folder of the control group of one student (or of the class, for ""), made if it is missing.

    Version 1 (the memory controller has a tree of its own) and version 2 (one tree) of Linux' control groups."""
    first = Path("/sys/fs/cgroup/memory")
    if first.is_dir():
        folder = first / "rnn-class" / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder
    top = Path("/sys/fs/cgroup")
    for folder in (top, top / "rnn-class"):
        folder.mkdir(exist_ok=True)
        (folder / "cgroup.subtree_control").write_text("+memory")
    folder = top / "rnn-class" / name
    folder.mkdir(exist_ok=True)
    return folder


class StudentSpawner(LocalProcessSpawner):
    """Starts a server as the student's account, inside the student's control group."""

    def account(self):
        return pwd.getpwnam(PREFIX + self.user.name)

    def user_env(self, env):
        account = self.account()
        return {**env, "USER": account.pw_name, "HOME": account.pw_dir, "SHELL": "/bin/bash"}

    def make_preexec_fn(self, name):
        become, group = super().make_preexec_fn(PREFIX + name), cgroup(name) / "cgroup.procs"

        def enter():  # in the new process, still as root
            group.write_text(str(os.getpid()))
            become()

        return enter

    async def start(self):
        home = HOMES / (PREFIX + self.user.name)
        try:
            self.account()
        except KeyError:
            subprocess.run(
                [
                    "useradd",
                    "--create-home",
                    "--home-dir",
                    home,
                    "--shell",
                    "/usr/sbin/nologin",
                    PREFIX + self.user.name,
                ],
                check=True,
            )
        home.chmod(0o700)  # nobody else can look in
        folder = cgroup(self.user.name)
        limit = (
            "memory.limit_in_bytes" if (folder / "memory.limit_in_bytes").exists() else "memory.max"
        )
        (folder / limit).write_text(str(self.mem_limit))
        return await super().start()


c = get_config()  # noqa: F821 (JupyterHub defines it)
try:
    cgroup("")
except OSError as error:
    raise SystemExit(
        f"The memory of students cannot be limited here ({error}). Run the hub as root, outside a container."
    ) from error

c.JupyterHub.bind_url = (
    f"http://127.0.0.1:{PORT}"  # a web server in front of it brings HTTPS to the world
)
c.JupyterHub.hub_bind_url = f"http://127.0.0.1:{PORT + 1}"
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{PORT + 2}"
c.ConfigurableHTTPProxy.command = [str(HUB / "node_modules" / ".bin" / "configurable-http-proxy")]
c.JupyterHub.db_url = f"sqlite:///{STATE}/jupyterhub.sqlite"
c.JupyterHub.cookie_secret_file = str(STATE / "cookie_secret")
c.ConfigurableHTTPProxy.pid_file = str(STATE / "proxy.pid")
c.JupyterHub.authenticator_class = ListAuthenticator
c.Authenticator.allow_all = True  # whoever is in the list
c.JupyterHub.spawner_class = StudentSpawner

c.Spawner.cmd = [str(HUB / "venv" / "bin" / "jupyterhub-singleuser")]
c.Spawner.notebook_dir = "~"
c.Spawner.default_url = "/lab"
c.Spawner.mem_limit = MEMORY
c.Spawner.start_timeout = 120
c.Spawner.http_timeout = 120
c.JupyterHub.concurrent_spawn_limit = 10  # the rest of the class waits a few seconds
c.Spawner.environment = {
    "PATH": f"{HUB / 'venv' / 'bin'}:/usr/local/bin:/usr/bin:/bin",
    "TF_CPP_MIN_LOG_LEVEL": "2",
    # one copy of the data for the whole class (data/README.md says which files go there); readable, not writable
    **{name: os.environ[name] for name in ("RNN_DATA_DIR", "RNN_OFFLINE") if name in os.environ},
}
c.Spawner.env_keep = ["LANG", "LC_ALL"]

# --- servers that nobody uses ---------------------------------------------------------------------------------------

c.JupyterHub.load_roles = [
    {
        "name": "culler",
        "scopes": ["list:users", "read:users:activity", "read:servers", "delete:servers"],
        "services": ["culler"],
    }
]
c.JupyterHub.services = [
    {
        "name": "culler",
        "command": [
            str(HUB / "venv" / "bin" / "python"), "-m", "jupyterhub_idle_culler",
            f"--timeout={IDLE}", f"--cull-every={max(5, IDLE // 10)}",
        ],
    }
]  # fmt: skip
if not shutil.which("git"):
    raise SystemExit("git is missing: students get their copy of the course with it.")
