"""Tests run in fast mode and without the network, in every process that they start."""

import os
import shutil
from pathlib import Path

HERE = Path(__file__).resolve().parent
FAST = os.environ.setdefault("RNN_FAST", "1").lower() not in ("", "0", "false", "no", "off")
os.environ.setdefault("RNN_OFFLINE", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
if FAST:  # IPython runs what lies in this folder in every kernel; it also writes its history there
    os.environ["IPYTHONDIR"] = str(HERE.parent / "build" / "ipython")
    startup = HERE.parent / "build" / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True, exist_ok=True)
    shutil.copy(HERE / "fast.py", startup / "00-fast.py")


def pytest_report_header():
    return "lessons: fast mode (RNN_FAST=0 trains in full)" if FAST else "lessons: in full"


def pytest_collection_modifyitems(items):
    """Execution counts are not stored; nbval takes a cell without one for a cell that was never run."""
    for item in items:
        if getattr(getattr(item, "cell", None), "cell_type", "") == "code":
            item.cell.execution_count = 1
