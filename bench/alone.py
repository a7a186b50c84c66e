"""One fit of the points in a file, in a process of its own; the centroids go into another file.

`python -m bench.alone NAME IN.npy K N_ITER OUT.npy [memory]`: with "memory" it prints the bytes that the fit took
beyond what was there before it, at the peak.
"""

import re
import sys
from pathlib import Path

import numpy as np

from lloydq.pool import available

from .contenders import CONTENDERS, Task


def main(name, file, k, n_iter, out, what=""):
    who, X = CONTENDERS[name], np.load(file)
    rows, number = np.arange(int(k)), available()
    task = Task(X, X[rows].astype(float), rows, int(n_iter), False, None, number)
    run = who.fit(task)
    if what == "memory":
        who.fit(Task(X[:1000], task.start, rows, 1, False, None, number))()  # loads what there is to load
        before = forget_peak()
        centroids, _ = run()
        print(bytes_of("VmHWM") - before)
    else:
        centroids, _ = run()
    np.save(out, centroids)


def forget_peak():
    """From now on the peak is that of what comes; bytes in memory now. (Linux.)"""
    Path("/proc/self/clear_refs").write_text("5")
    return bytes_of("VmRSS")


def bytes_of(key):
    return int(re.search(rf"{key}:\s+(\d+) kB", Path("/proc/self/status").read_text())[1]) * 1024


if __name__ == "__main__":
    main(*sys.argv[1:])
