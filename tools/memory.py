"""Run lessons in a process that may not use more memory than Binder has.

    sudo python tools/memory.py              all English lessons, each with the GB that notebooks/lessons.toml gives it
    sudo python tools/memory.py 05 --limit 900

The limit is a control group of Linux: the kernel, and all that it starts, together; above it the kernel dies, as on Binder. Data
are those that come with the course, as on Binder (`start`). Prints the peak: what the processes hold, without files in the cache.
"""

import argparse
import os
import sys
import threading
import time
from pathlib import Path

from course import NOTEBOOKS, Problem, chosen, lessons, read
from nbclient import NotebookClient

FIRST = Path(
    "/sys/fs/cgroup/memory"
)  # version 1 of control groups has a tree for memory; version 2 has one tree


def make_group(megabytes):
    folder = (FIRST if FIRST.is_dir() else FIRST.parent) / f"rnn-memory-{os.getpid()}"
    folder.mkdir()
    limit = "memory.limit_in_bytes" if FIRST.is_dir() else "memory.max"
    (folder / limit).write_text(str(megabytes * 2**20))
    if not FIRST.is_dir():
        (folder / "memory.swap.max").write_text("0")
    return folder


def held(folder):
    """Bytes that the processes of a group hold: anonymous memory. Cached files give way when memory is short."""
    stat = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
    return int(stat["total_rss"] if "total_rss" in stat else stat["anon"])


class Client(NotebookClient):
    """Executes a notebook; only its kernel enters the group `folder`."""

    async def async_start_new_kernel(self, **arguments):
        await super().async_start_new_kernel(**arguments)
        (self.folder / "cgroup.procs").write_text(str(self.km.provisioner.pid))


def measured(lesson, megabytes):
    """(seconds, peak in MB, what went wrong or nothing)"""
    folder, peak, running, problem = make_group(megabytes), 0, True, ""

    def watch():
        nonlocal peak
        while running:
            peak = max(peak, held(folder))
            time.sleep(0.2)

    watcher = threading.Thread(target=watch)
    watcher.start()
    begin = time.monotonic()
    place = {"metadata": {"path": str(NOTEBOOKS / "en")}}
    client = Client(read("en", lesson), timeout=3600, kernel_name="python3", resources=place)
    client.folder = folder
    try:
        client.execute()
    except Exception as error:  # the kernel died, or a cell failed
        problem = f"{type(error).__name__}: {str(error).strip().splitlines()[-1]}"
    seconds, running = time.monotonic() - begin, False
    watcher.join()
    for _ in range(50):  # the kernel leaves it
        try:
            folder.rmdir()
            break
        except OSError:
            time.sleep(0.2)
    return seconds, peak / 2**20, problem


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("lessons", nargs="*")
    parser.add_argument("--limit", type=int, help="MB, for every lesson")
    arguments, failed = parser.parse_args(), False
    names = chosen(arguments.lessons)
    if not sys.platform.startswith("linux") or os.getuid():
        raise Problem("This measures with Linux' control groups, as root.")
    os.environ["RNN_OFFLINE"] = "1"
    print(f"{'lesson':<24}{'limit MB':>9}{'peak MB':>9}{'minutes':>9}")
    for name in names:
        limit = arguments.limit or 1024 * lessons()[name].get("memory", 1)
        seconds, peak, problem = measured(name, limit)
        failed |= bool(problem)
        print(
            f"{name:<24}{limit:>9}{peak:>9.0f}{seconds / 60:>9.1f}   {problem}".rstrip(), flush=True
        )
    sys.exit(failed)


if __name__ == "__main__":
    main()
