"""Cutting a series into windows: the lecture chapter's loop against lesson 02's `make_windows`.

    python benchmarks/windows.py

200,000 points, windows of 20 steps, one feature. Medians over repeated runs in one process. `make_windows` gives a view; the
third row also copies it into memory of its own, for those who need that. Exits with 1 if the view is not at least 50 times
faster than the loop.
"""

import statistics
import sys
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
from lessons import define  # noqa: E402

N_POINTS, N_STEPS, REQUIRED = 200_000, 20, 50


def by_loop(series, n_steps, horizon=1):
    """As the chapter does it: one Python step and two appended arrays per window."""
    windows, targets = [], []
    for start in range(len(series) - n_steps - horizon + 1):
        windows.append(series[start : start + n_steps])
        targets.append(series[start + n_steps + horizon - 1])
    return np.array(windows), np.array(targets)


def median_seconds(function, repeats):
    """Median time of `repeats` calls, after one call that is not counted."""
    function()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def main():
    make_windows = define("02_simplernn_sine", "make-windows")["make_windows"]
    series = np.random.default_rng(0).normal(size=(N_POINTS, 1))
    for ours, theirs in zip(make_windows(series, N_STEPS), by_loop(series, N_STEPS), strict=True):
        assert np.array_equal(ours, theirs), "the two ways must give the same windows"
    seconds = {
        "the chapter's loop": median_seconds(lambda: by_loop(series, N_STEPS), 7),
        "make_windows (view)": median_seconds(lambda: make_windows(series, N_STEPS), 201),
        "make_windows, copied": median_seconds(lambda: np.ascontiguousarray(make_windows(series, N_STEPS)[0]), 21),
    }
    loop = seconds["the chapter's loop"]
    print(f"{N_POINTS:,} points, windows of {N_STEPS} steps, medians\n")
    for name, median in seconds.items():
        print(f"{name:22} {1000 * median:10.3f} ms {loop / median:12,.0f} times as fast as the loop")
    if loop / seconds["make_windows (view)"] < REQUIRED:
        sys.exit(f"make_windows is less than {REQUIRED} times faster than the loop")


if __name__ == "__main__":
    main()
