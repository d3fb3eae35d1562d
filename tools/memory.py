"""Run lessons in a process that may not use more memory than Binder has.

    sudo python tools/memory.py              all English lessons; 01-06 get 1 GB, 07 and 08 get 2 GB
    sudo python tools/memory.py 05 --limit 900

The limit is a control group of Linux: the kernel, and all that it starts, together; above it the kernel dies, as on Binder. Data
are those that come with the course, as on Binder (`start`). Prints the peak: what the processes hold, without files in the cache.
"""

import argparse
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SIZES = {"07": 2048, "08": 2048}  # MB; the others get 1024
FIRST = Path(
    "/sys/fs/cgroup/memory"
)  # version 1 of control groups has a tree for memory; version 2 has one tree


def make_group(megabytes):
    folder = (FIRST if FIRST.is_dir() else Path("/sys/fs/cgroup")) / f"rnn-memory-{os.getpid()}"
    folder.mkdir()
    (folder / ("memory.limit_in_bytes" if FIRST.is_dir() else "memory.max")).write_text(
        str(megabytes * 2**20)
    )
    if not FIRST.is_dir():
        (folder / "memory.swap.max").write_text("0")
    return folder


def held(folder):
    """Bytes that the processes of a group hold: anonymous memory. Cached files give way when memory is short."""
    stat = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
    return int(stat["total_rss"] if "total_rss" in stat else stat["anon"])


def measured(lesson, megabytes, script):
    """(seconds, peak in MB, whether it ran to its end)"""
    folder, peak, running = make_group(megabytes), 0, True

    def watch():
        nonlocal peak
        while running:
            peak = max(peak, held(folder))
            time.sleep(0.2)

    watcher = threading.Thread(target=watch)
    watcher.start()
    begin = time.monotonic()
    environment = {**os.environ, "RNN_OFFLINE": "1"}
    ended = subprocess.run(
        [sys.executable, "-c", script, str(lesson), str(folder)],
        env=environment,
        cwd=lesson.parent,
        capture_output=True,
        text=True,
    )
    running = False
    watcher.join()
    for _ in range(50):
        try:
            folder.rmdir()
            break
        except OSError:
            time.sleep(0.2)
    if ended.returncode:
        print(ended.stderr.strip().splitlines()[-1:])
    return time.monotonic() - begin, peak / 2**20, ended.returncode == 0


# Executes the notebook without storing anything. The runner itself stays outside: only the kernel enters the group.
SCRIPT = """
import sys
from pathlib import Path
import nbformat
from nbclient import NotebookClient

class Client(NotebookClient):
    async def async_start_new_kernel(self, **arguments):
        await super().async_start_new_kernel(**arguments)
        Path(sys.argv[2], "cgroup.procs").write_text(str(self.km.provisioner.pid))

notebook = nbformat.read(sys.argv[1], 4)
Client(notebook, timeout=3600, kernel_name="python3").execute()
"""


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("lessons", nargs="*")
    parser.add_argument("--limit", type=int, help="MB, for every lesson")
    arguments = parser.parse_args()
    if not sys.platform.startswith("linux") or os.getuid():
        raise SystemExit("This needs Linux and root: it makes a control group.")
    failed = False
    print(f"{'lesson':<24}{'limit MB':>9}{'peak MB':>9}{'minutes':>9}")
    for path in sorted((ROOT / "notebooks" / "en").glob("*.ipynb")):
        if arguments.lessons and not path.name.startswith(tuple(arguments.lessons)):
            continue
        limit = arguments.limit or SIZES.get(path.name[:2], 1024)
        seconds, peak, fine = measured(path, limit, SCRIPT)
        failed |= not fine
        print(
            f"{path.stem:<24}{limit:>9}{peak:>9.0f}{seconds / 60:>9.1f}{'' if fine else '   DIED OR FAILED'}",
            flush=True,
        )
    sys.exit(failed)


if __name__ == "__main__":
    main()
