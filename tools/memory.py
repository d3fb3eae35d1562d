"""Run lessons with no more memory than Binder has.

    sudo python tools/memory.py              all English lessons, each with the GB that notebooks/lessons.toml gives it
    sudo python tools/memory.py 05 --limit 900

The limit is a control group of Linux; above it the kernel dies, as on Binder. What runs the notebook is in the group too, as
Binder's server is. Prints the peak of what the processes hold, without files in the cache, and what `tools/run.py` says.
"""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

from course import ROOT, Problem, chosen, lessons

FIRST = Path(
    "/sys/fs/cgroup/memory"
)  # version 1 of control groups has a tree for memory; version 2 has one tree


def limited(command, megabytes):
    """(exit status, peak in MB) of a command that may hold so many megabytes."""
    folder, peak = (FIRST if FIRST.is_dir() else FIRST.parent) / f"rnn-memory-{os.getpid()}", 0
    folder.mkdir()
    limit = "memory.limit_in_bytes" if FIRST.is_dir() else "memory.max"
    (folder / limit).write_text(str(megabytes * 2**20))
    if not FIRST.is_dir():
        (folder / "memory.swap.max").write_text("0")
    group = folder / "cgroup.procs"
    process = subprocess.Popen(command, preexec_fn=lambda: group.write_text(str(os.getpid())))
    while process.poll() is None or group.read_text():  # its kernel may end a moment later
        stat = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
        peak = max(peak, int(stat["total_rss"] if "total_rss" in stat else stat["anon"]))
        time.sleep(0.2)
    folder.rmdir()
    return process.returncode, peak / 2**20


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("lessons", nargs="*")
    parser.add_argument("--limit", type=int, help="MB, for every lesson")
    arguments, failed = parser.parse_args(), False
    names = chosen(arguments.lessons)
    if not sys.platform.startswith("linux") or os.getuid():
        raise Problem("This measures with Linux' control groups, as root.")
    os.environ["RNN_OFFLINE"] = "1"
    for name in names:
        limit = arguments.limit or 1024 * lessons()[name].get("memory", 1)
        status, peak = limited([sys.executable, ROOT / "tools" / "run.py", name], limit)
        failed |= bool(status)
        print(f"{name}: {peak:.0f} of {limit} MB{', FAILED' if status else ''}\n", flush=True)
    sys.exit(failed)


if __name__ == "__main__":
    main()
