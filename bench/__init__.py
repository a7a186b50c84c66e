"""Which k-means is faster, by how much, on this machine, and do they compute the same? `python -m bench` answers."""

import os
from pathlib import Path

# OpenBLAS chooses the kernel for this processor: what a shell may have set would slow scikit-learn, faiss and scipy.
for variable in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
    os.environ.pop(variable, None)

RESULTS = Path(__file__).parent / "results"
