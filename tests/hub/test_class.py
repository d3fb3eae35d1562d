"""A class on one server: students log in, get their copy of the course, and run lesson 01; nobody sees another's files.

Everything is on 127.0.0.1. `make test-hub` runs this, as root (a hub starts servers for other accounts); RNN_STUDENTS=20 is the
size of the class, RNN_AT_ONCE=2 how many of them run the lesson at the same moment.
"""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
import pytest
import requests
import websocket
from lessons import ROOT, bare_repository

sys.path.insert(0, str(ROOT / "deploy"))
import students  # noqa: E402

STUDENTS = [
    f"test{number:02d}" for number in range(1, int(os.environ.get("RNN_STUDENTS", "20")) + 1)
]
AT_ONCE = int(os.environ.get("RNN_AT_ONCE", "2"))
HUB = Path(os.environ.get("RNN_HUB_DIR", "/tmp/rnn-hub-test"))
HOMES = Path(
    "/tmp/rnn-hub-homes"
)  # students' accounts must be able to reach it; pytest's folders are for one user
STATE = Path("/tmp/rnn-hub-test-state")
LESSON = "rnn-course/notebooks/en/01_rnn_intro.ipynb"
MEMORY = 2 * 2**30  # what "2G" means to the hub


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def wait(for_what, seconds=120):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        result = for_what()
        if result:
            return result
        time.sleep(0.3)
    raise AssertionError(f"still waiting after {seconds} s")


def answers(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def stop(process):
    """End a process of ours and what it started; they are in a session of their own."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    """(address, {student: password}, repository, restart) of a running hub; accounts and homes are removed in the end."""
    if os.name != "posix" or os.getuid() != 0:
        pytest.fail(
            "A hub starts servers for other accounts: run `make test-hub` as root, on Linux.",
            pytrace=False,
        )
    folder = tmp_path_factory.mktemp("hub")
    HOMES.mkdir(mode=0o755, exist_ok=True)
    shutil.rmtree(STATE, ignore_errors=True)
    STATE.mkdir(mode=0o700)
    git_port, hub_port = free_ports(2)
    (folder / "served").mkdir()
    bare_repository(folder / "served")

    environment = {
        **os.environ,
        "RNN_HUB_DIR": str(HUB),
        "RNN_HUB_STATE": str(STATE),
        "RNN_HUB_HOMES": str(HOMES),
        "RNN_HUB_PORT": str(hub_port),
        "RNN_HUB_MEMORY": "2G",
        "RNN_OFFLINE": "1",
    }
    environment.pop("RNN_DATA_DIR", None)
    start = str(ROOT / "deploy" / "start.sh")
    subprocess.run([start, "--install"], env=environment, check=True, timeout=900)
    passwords = students.add(STATE / "students.txt", STUDENTS)
    log = (folder / "hub.log").open("w")
    git_daemon = subprocess.Popen(
        ["git", "daemon", "--listen=127.0.0.1", f"--port={git_port}", "--export-all", f"--base-path={folder / 'served'}"],
        start_new_session=True, stdout=log, stderr=log,
    )  # fmt: skip
    process = None

    def restart(**changes):
        nonlocal process
        if process:
            stop(process)
        process = subprocess.Popen(
            [start],
            env=environment | changes,
            start_new_session=True,
            stdout=log,
            stderr=log,
            cwd=folder,
        )
        wait(lambda: process.poll() is not None or answers(hub_port))
        wait(
            lambda: (
                process.poll() is not None
                or requests.get(f"http://127.0.0.1:{hub_port}/hub/api", timeout=10).ok
            )
        )
        assert process.poll() is None, (folder / "hub.log").read_text()[-3000:]

    try:
        restart()
        yield (
            f"http://127.0.0.1:{hub_port}",
            passwords,
            f"git://127.0.0.1:{git_port}/rnn-course.git",
            restart,
        )
    finally:
        stop(process)
        stop(git_daemon)
        print((folder / "hub.log").read_text()[-20000:] if os.environ.get("RNN_HUB_LOG") else "")
        for name in STUDENTS:
            account = f"rnn-{name}"
            if subprocess.run(["id", account], capture_output=True).returncode == 0:
                uid = subprocess.run(
                    ["id", "-u", account], capture_output=True, text=True, check=True
                ).stdout.strip()
                for pid in subprocess.run(
                    ["pgrep", "-u", uid], capture_output=True, text=True
                ).stdout.split():
                    os.kill(int(pid), signal.SIGKILL)
                wait(
                    lambda uid=uid: (
                        subprocess.run(["pgrep", "-u", uid], capture_output=True).returncode
                    ),
                    20,
                )
                subprocess.run(["userdel", "--remove", account], capture_output=True)
        shutil.rmtree(HOMES, ignore_errors=True)
        shutil.rmtree(STATE, ignore_errors=True)
        for folder in map(group, STUDENTS):
            if folder.is_dir():
                wait(lambda folder=folder: removed(folder), 20)


def group(name):
    first = Path("/sys/fs/cgroup/memory")
    return (first if first.is_dir() else Path("/sys/fs/cgroup")) / "rnn-class" / name


def removed(folder):
    try:
        folder.rmdir()
    except OSError:
        return False
    return True


class KernelDied(Exception):
    pass


class Student:
    """A browser with one student in front of it."""

    def __init__(self, hub, name):
        self.address, passwords, self.repository, self.restart = hub
        self.name, self.password = name, passwords[name]
        self.web = requests.Session()

    def log_in(self, password=None):
        page = self.web.get(f"{self.address}/hub/login", timeout=60)
        token = re.search(r'name="_xsrf" value="([^"]+)"', page.text)[1]
        form = {"username": self.name, "password": password or self.password, "_xsrf": token}
        return self.web.post(f"{self.address}/hub/login", data=form, timeout=180)

    @property
    def mine(self):
        return f"{self.address}/user/{self.name}"

    def start_server(self):
        def ready():
            page = self.web.get(f"{self.address}/hub/spawn", timeout=180)
            return page.url.startswith(self.mine) and page.ok

        wait(ready, 240)

    def get_copy(self):
        """What the page behind the nbgitpuller link does."""
        what = {"repo": self.repository, "branch": "main", "targetpath": "rnn-course"}
        page = self.web.get(
            f"{self.address}/hub/user-redirect/git-pull",
            params={**what, "urlpath": f"lab/tree/{LESSON}"},
            timeout=60,
        )
        assert page.ok and page.url.startswith(f"{self.mine}/git-pull")
        stream = self.web.get(f"{self.mine}/git-pull/api", params=what, timeout=180)
        events = [
            json.loads(line[6:]) for line in stream.text.splitlines() if line.startswith("data: ")
        ]
        assert events and events[-1]["phase"] == "finished", events[-1:]

    def api(self, method, where, **body):
        header = {"X-XSRFToken": self.web.cookies.get("_xsrf", path=f"/user/{self.name}/")}
        answer = self.web.request(
            method, f"{self.mine}/api/{where}", headers=header, json=body or None, timeout=120
        )
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def kernel(self, path=LESSON):
        session = self.api(
            "POST",
            "sessions",
            path=path,
            name=path.rsplit("/", 1)[-1],
            type="notebook",
            kernel={"name": "python3"},
        )
        return session["kernel"]["id"]

    def run(self, kernel, cells):
        """Run cells through the web socket, as JupyterLab does; the text that they printed. Fails at the first error."""
        port = self.address.rsplit(":", 1)[1]
        cookies = "; ".join(
            f"{cookie.name}={cookie.value}"
            for cookie in self.web.cookies
            if cookie.path in ("/", f"/user/{self.name}/")
        )
        line = websocket.create_connection(
            f"ws://127.0.0.1:{port}/user/{self.name}/api/kernels/{kernel}/channels?session_id={uuid.uuid4().hex}",
            cookie=cookies, timeout=300, origin=self.address,
        )  # fmt: skip
        text = []
        try:
            for source in cells:
                number = uuid.uuid4().hex
                header = {
                    "msg_id": number,
                    "msg_type": "execute_request",
                    "username": "",
                    "session": "test",
                    "version": "5.3",
                    "date": "",
                }
                content = {
                    "code": source,
                    "silent": False,
                    "store_history": True,
                    "user_expressions": {},
                    "allow_stdin": False,
                }
                line.send(
                    json.dumps(
                        {
                            "header": header,
                            "parent_header": {},
                            "metadata": {},
                            "content": content,
                            "channel": "shell",
                            "buffers": [],
                        }
                    )
                )
                replied = idle = (
                    False  # what was printed may come after the reply; nothing comes after "idle"
                )
                while not (replied and idle):
                    message = json.loads(line.recv())
                    if message["content"].get("execution_state") in ("restarting", "dead"):
                        raise KernelDied(f"{self.name}: {source[:200]}")
                    if message["parent_header"].get("msg_id") != number:
                        continue
                    if message["msg_type"] == "stream":
                        text.append(message["content"]["text"])
                    if message["msg_type"] == "error":
                        raise AssertionError(
                            f"{self.name}: {source[:200]}\n{message['content']['ename']}: {message['content']['evalue']}"
                        )
                    if message["msg_type"] == "execute_reply":
                        assert message["content"]["status"] == "ok"
                        replied = True
                    idle |= message["content"].get("execution_state") == "idle"
        finally:
            line.close()
        return "".join(text)


def lesson(folder):
    notebook = nbformat.read(folder, as_version=4)
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


# Resident memory that no other process shares counts whole, shared memory (libraries) in equal parts: Linux' "PSS".
PSS = "import os; print(sum(int(line.split()[1]) for line in open('/proc/self/smaps_rollup') if line.startswith('Pss:')))"


def test_a_class_runs_lesson_01(hub):
    cells = lesson(ROOT / "notebooks" / "en" / "01_rnn_intro.ipynb")
    class_ = [Student(hub, name) for name in STUDENTS]
    started = time.monotonic()

    def prepare(student):
        assert student.log_in().ok
        student.start_server()
        student.get_copy()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(prepare, class_))
    ready = time.monotonic() - started

    def work(student):
        kernel = student.kernel()
        student.run(kernel, [(ROOT / "tests" / "fast.py").read_text(encoding="utf-8")])
        begin = time.monotonic()
        student.run(kernel, cells)
        seconds = time.monotonic() - begin
        pss = int(student.run(kernel, [PSS])) / 1024
        folder = group(student.name)
        names = (
            ["memory.max_usage_in_bytes"]
            if (folder / "memory.max_usage_in_bytes").exists()
            else ["memory.peak"]
        )
        peak = int((folder / names[0]).read_text()) / 2**20
        student.api("DELETE", f"kernels/{kernel}")
        return seconds, pss, peak

    with ThreadPoolExecutor(AT_ONCE) as pool:
        results = list(pool.map(work, class_))
    seconds, pss, peak = zip(*results, strict=True)
    print(
        f"\n{len(class_)} students logged in, with a server and a copy, after {ready:.0f} s; lesson 01 (fast, {AT_ONCE} at once) "
        f"took {min(seconds):.0f} to {max(seconds):.0f} s each. Memory: kernel {max(pss):.0f} MB at its end; all of "
        f"a student at the peak {max(peak):.0f} MB, files in the cache included."
    )
    assert max(peak) < MEMORY / 2**20


def test_students_cannot_see_each_others_files(hub):
    one, two = (Student(hub, name) for name in STUDENTS[:2])
    for student in (one, two):
        student.log_in()
        student.start_server()
    home = f"{HOMES}/rnn-{one.name}"
    one.run(
        one.kernel(""),
        [f"open('{home}/secret.txt', 'w').write('mine')", "import os; assert os.getuid() != 0"],
    )
    other = two.kernel("")
    for what in (
        f"open('{home}/secret.txt')",
        f"os.listdir('{home}')",
        f"os.listdir('{STATE}')",
        "os.setuid(0)",
    ):
        code = f"import os\ntry:\n    print({what})\nexcept PermissionError:\n    print('refused')"
        assert two.run(other, [code]).strip() == "refused", what
    # nor through the web
    assert (
        one.web.get(f"{one.mine}/api/contents/secret.txt", timeout=60).json()["content"] == "mine"
    )
    assert two.web.get(f"{one.mine}/api/contents/secret.txt", timeout=60).status_code in (403, 404)
    assert two.web.get(f"{two.address}/hub/api/users", timeout=60).status_code == 403


def test_a_wrong_password_opens_nothing(hub):
    student = Student(hub, STUDENTS[0])
    assert student.log_in("wrong-password").status_code == 403
    stranger = Student(hub, STUDENTS[0])
    stranger.name = "root"
    assert stranger.log_in("").status_code == 403


def test_who_takes_too_much_memory_harms_nobody_else(hub):
    greedy, modest = (Student(hub, name) for name in STUDENTS[:2])
    for student in (greedy, modest):
        student.log_in()
        student.start_server()
    quiet = modest.kernel("")
    kernel = greedy.kernel("")
    with pytest.raises(KernelDied):
        greedy.run(
            kernel, [f"x = bytearray({MEMORY + 2**28})\nfor i in range(0, len(x), 4096): x[i] = 1"]
        )
    assert modest.run(quiet, ["print(1 + 1)"]).strip() == "2"
    wait(
        lambda: greedy.web.get(f"{greedy.mine}/lab", timeout=60).ok, 60
    )  # the kernel died, the server did not


def test_a_server_that_nobody_uses_is_stopped_and_its_files_stay(hub):
    student = Student(hub, STUDENTS[0])
    student.restart(RNN_HUB_IDLE="10")
    student.log_in()
    student.start_server()
    student.run(student.kernel(""), ["open('kept.txt', 'w').write('work')"])
    processes = ["pgrep", "-u", f"rnn-{student.name}"]
    assert subprocess.run(processes, capture_output=True).returncode == 0
    wait(lambda: subprocess.run(processes, capture_output=True).returncode, 120)
    student.start_server()
    assert student.api("GET", "contents/kept.txt")["content"] == "work"
