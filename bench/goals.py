"""lloydq against its peers, from the same centroids, each at its best: time, ratio, and the inertia that was reached.

    python bench/goals.py [predict] [wide] [pixels] [pictures] [small] [blobs] [real] [patches] [tiny] [threads] [start]

scikit-learn has to be installed; faiss, scikit-learn-intelex and scipy take part where they are. Everybody has the
processors that this process may use, and OpenBLAS its best kernel. What cannot stop when no label changes (faiss,
scipy) makes as many iterations as lloydq did. Times are medians of five runs after one to warm up; what takes longer
than SLOW seconds is run once. Compilation is not in them.
"""

import os

for variable in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
    os.environ.pop(variable, None)

import subprocess  # noqa: E402
import sys  # noqa: E402
import tempfile  # noqa: E402
import warnings  # noqa: E402
from importlib import import_module  # noqa: E402
from pathlib import Path  # noqa: E402
from statistics import median  # noqa: E402
from time import perf_counter  # noqa: E402

import numpy as np  # noqa: E402
import sklearn.cluster  # noqa: E402
from sklearn.datasets import load_digits, load_sample_image  # noqa: E402
from threadpoolctl import threadpool_info  # noqa: E402

import lloydq  # noqa: E402
from lloydq.colors import DistinctColors  # noqa: E402

SLOW = 2.0
PHOTO = lloydq.pixels(Path(lloydq.__file__).parent / "data" / "dandelion.jpg")


def optional(name):
    try:
        return import_module(name)
    except ImportError:
        return None


faiss, intel, vq = optional("faiss"), optional("sklearnex.cluster"), optional("scipy.cluster.vq")


def seconds(function):
    """The median, and what the function returned."""
    times, result = [], None
    for _ in range(6):
        start = perf_counter()
        result = function()
        times.append(perf_counter() - start)
        if times[-1] > SLOW:
            return times[-1], result
    return median(times[1:]), result


def line(work, who, time, ours, note=""):
    print(f"{work:44}{who:26}{time * 1e3:11.2f} ms   {time / ours:7.2f}×   {note}", flush=True)


def inertia(X, centroids, weight=None):
    squared = ((X - centroids[lloydq.nearest(X, centroids)]) ** 2).sum(axis=1)
    return float(squared.sum() if weight is None else squared @ weight)


def fits(work, X, start, weight=None, ours=None, dtypes=("f4", "f8"), peers=True):
    """Every peer's fit until no label changes; the points are given to lloydq as they are."""
    k = len(start)
    ours = X if ours is None else ours
    time, model = seconds(lambda: lloydq.KMeans(k, init=start, tol=0, max_iter=None).fit(ours, sample_weight=weight))
    line(work, "lloydq", time, time, f"{model.n_iter_} iterations, inertia {model.inertia_:.6g}")
    for dtype in dtypes:
        Y, first = X.astype(dtype), start.astype(dtype)
        options = {"init": first, "n_init": 1, "tol": 0, "max_iter": 100_000}
        contenders = {"scikit-learn": sklearn.cluster.KMeans}
        if peers and intel is not None and dtype == "f4":
            contenders["scikit-learn-intelex"] = intel.KMeans
        for name, kind in contenders.items():
            their, fit = seconds(lambda kind=kind, Y=Y, o=options: kind(k, **o).fit(Y, sample_weight=weight))
            centers = np.asarray(fit.cluster_centers_, float)
            note = f"{fit.n_iter_} iterations, inertia {inertia(X.astype(float), centers, weight):.6g}"
            line(work, f"{name} {dtype}", their, time, note)
    if peers and faiss is not None and weight is None:

        def fit():
            kmeans = faiss.Kmeans(
                X.shape[1], k, niter=model.n_iter_, max_points_per_centroid=10**9, min_points_per_centroid=1
            )
            kmeans.train(X.astype("f4"), init_centroids=start.astype("f4"))
            return kmeans

        their, kmeans = seconds(fit)
        note = f"{model.n_iter_} iterations, inertia {inertia(X.astype(float), kmeans.centroids.astype(float)):.6g}"
        line(work, "faiss f4", their, time, note)
    if peers and vq is not None and weight is None:
        Y = X.astype(float)
        their, fit = seconds(lambda: vq.kmeans2(Y, start.astype(float), iter=model.n_iter_, minit="matrix"))
        note = f"{model.n_iter_} iterations, inertia {inertia(Y, fit[0]):.6g}"
        line(work, "scipy f8", their, time, note)
    return time


def photographs():
    """The photograph, it with the noise of a sensor, and two others enlarged to as many pixels."""
    from PIL import Image

    noise = np.random.default_rng(0).normal(0, 4, PHOTO.shape)
    yield "photograph", PHOTO
    yield "the same with noise", np.clip(np.rint(PHOTO + noise), 0, 255).astype(np.uint8)
    for name in ("china.jpg", "flower.jpg"):
        enlarged = Image.fromarray(load_sample_image(name)).resize((1920, 1080), Image.Resampling.BICUBIC)
        yield name, np.asarray(enlarged).reshape(-1, 3)


def predict():
    for name, pixels in photographs():
        for k in (16, 64, 256):
            rng = np.random.default_rng(k)
            centroids = pixels[rng.choice(len(pixels), k, replace=False)] + rng.random((k, 3)) / 4
            predicted(f"predict {name}, k = {k}", pixels, centroids)


def predicted(work, X, centroids):
    """The labels of all points by everybody; those of others may be wrong where two centroids are equally near."""
    time, _ = seconds(lambda: lloydq.nearest(X, centroids))
    line(work, "lloydq", time, time)
    models = [("scikit-learn", sklearn.cluster.KMeans, dtype) for dtype in ("f4", "f8")]
    if intel is not None:
        models.append(("scikit-learn-intelex", intel.KMeans, "f4"))
    for who, kind, dtype in models:
        Y, c = X.astype(dtype), centroids.astype(dtype)
        model = kind(len(c), init=c, n_init=1, max_iter=2).fit(np.repeat(c, 60, axis=0))
        line(work, f"{who} {dtype}", seconds(lambda m=model, Y=Y: m.predict(Y))[0], time)
    if faiss is not None:
        index, Y = faiss.IndexFlatL2(X.shape[1]), X.astype("f4")
        index.add(centroids.astype("f4"))
        line(work, "faiss f4", seconds(lambda: index.search(Y, 1))[0], time)


def wide():
    for X in (mixture(200_000, 16), patches_of(4), patches_of(8)):
        for k in (16, 64, 256):
            rng = np.random.default_rng(k)
            centroids = X[rng.choice(len(X), k, replace=False)] + rng.random((k, X.shape[1])) / 4
            predicted(f"predict {len(X):,} × {X.shape[1]} float32, k = {k}", X.astype("f4"), centroids)


def pixels():
    for k in (16, 64, 256):
        start = lloydq.random_points(PHOTO, k, rng=0).astype(float)
        time = fits(f"fit all pixels, k = {k}", PHOTO, start, dtypes=("f4",), peers=False)
        if k == 64:
            batches = sklearn.cluster.MiniBatchKMeans(64, init=start, n_init=1, batch_size=4096, random_state=0)
            their, model = seconds(lambda model=batches: model.fit(PHOTO.astype("f4")))
            note = f"inertia {inertia(PHOTO.astype(float), model.cluster_centers_.astype(float)):.6g}, other work"
            line(f"fit all pixels, k = {k}", "scikit-learn MiniBatch f4", their, time, note)
        distinct = DistinctColors(PHOTO)
        weight = distinct.counts.astype(float)
        fits(f"fit distinct colours with counts, k = {k}", distinct.colors, start, weight, peers=False)


def pictures():
    for name, pixels in list(photographs())[1:]:
        start = lloydq.random_points(pixels, 64, rng=0).astype(float)
        fits(f"fit all pixels of {name}, k = 64", pixels, start, dtypes=("f4",), peers=False)


def small():
    sample = lloydq.random_points(PHOTO, 2000, rng=0)
    start = lloydq.kmeans_plusplus(sample, 64, random_state=0)[0]
    fits("fit 2,000 pixels from one start, k = 64", sample, start)
    first = 0.0
    for who, kind, X in (
        ("lloydq", lloydq.KMeans, sample),
        ("scikit-learn f4", sklearn.cluster.KMeans, sample.astype("f4")),
        ("scikit-learn f8", sklearn.cluster.KMeans, sample.astype("f8")),
    ):
        runs = [seconds(lambda s=s, kind=kind, X=X: kind(64, n_init=1, random_state=s).fit(X)) for s in range(9)]
        time = median(time for time, _ in runs)
        first = first or time
        note = f"mean inertia {np.mean([model.inertia_ for _, model in runs]):.6g}"
        line("fit 2,000 pixels, own k-means++, nine seeds", who, time, first, note)


def mixture(n, d, seed=0):
    rng = np.random.default_rng(seed)
    return 2.5 * rng.normal(size=(50, d))[rng.integers(0, 50, n)] + rng.normal(size=(n, d))


def blobs():
    for d in (2, 3, 8, 16):
        X = mixture(200_000, d)
        for k in (8, 64, 256):
            start = X[np.random.default_rng(1).choice(len(X), k, replace=False)].astype("f4")
            for dtype in ("f4", "f8"):
                work = f"fit 200,000 × {d} {dtype}, k = {k}"
                fits(work, X.astype(dtype), start, dtypes=(dtype,), peers=k < 64 and dtype == "f4")


def real():
    """What ships with scikit-learn: the colours of a photograph, as numbers; its patches; digits."""
    china, rng = np.asarray(load_sample_image("china.jpg")), np.random.default_rng(0)
    places = rng.integers(0, (427 - 4, 640 - 4), (200_000, 2))
    for name, X in (
        ("200,000 pixels of china.jpg", china.reshape(-1, 3)[rng.choice(china[..., 0].size, 200_000, replace=False)]),
        ("200,000 patches of 2 × 2 pixels", np.stack([china[y : y + 2, x : x + 2].ravel() for y, x in places])),
        ("200,000 grey patches of 4 × 4", np.stack([china[y : y + 4, x : x + 4, 1].ravel() for y, x in places])),
        ("1,797 digits of 8 × 8 pixels", load_digits().data),
    ):
        for k in (8, 64, 256):
            start = X[rng.choice(len(X), k, replace=False)].astype("f4")
            for dtype in ("f4", "f8"):
                fits(f"fit {name} {dtype}, k = {k}", X.astype(dtype), start, dtypes=(dtype,), peers=False)


def patches_of(side):
    """100,000 squares of the photograph, a row of float32 each."""
    picture, rng = PHOTO.reshape(1080, 1920, 3), np.random.default_rng(0)
    places = rng.integers(0, (1080 - side, 1920 - side), (100_000, 2))
    return np.stack([picture[y : y + side, x : x + side].ravel() for y, x in places]).astype("f4")


def patches():
    for side in (4, 8):
        X = patches_of(side)
        for k in (64, 256):
            fits(f"fit 100,000 patches × {X.shape[1]}, k = {k}", X, X[:k], dtypes=("f4",), peers=False)


def tiny():
    for d in (2, 4, 8, 16, 32, 64):
        X = mixture(1000, d)
        for k in (2, 8, 32):
            fits(f"fit 1,000 × {d} float64, k = {k}", X, X[:k], dtypes=("f8",), peers=False)


def threads():
    X = mixture(400_000, 8)
    for name, data, k in (("8 columns", X, 64), ("3 columns", X[:, :3].copy(), 64)):
        start = data[:k]
        times = [
            seconds(
                lambda t=t, data=data, start=start: lloydq.KMeans(
                    len(start), init=start, max_iter=10, tol=0, algorithm="dense", n_threads=t
                ).fit(data)
            )[0]
            for t in (1, 2)
        ]
        line(f"dense pass, {name}, ten iterations", "one thread, two threads", times[0], times[1])


def start():
    """A process of its own, without a cache of compiled kernels and with one, from the end of `import numba` on."""
    code = (
        "import numba, time; begin = time.perf_counter(); import lloydq; from pathlib import Path;"
        "photo = Path(lloydq.__file__).parent / 'data' / 'dandelion.jpg'; lloydq.quantize(photo, 64, tol=1);"
        "first = time.perf_counter() - begin; begin = time.perf_counter(); lloydq.quantize(photo, 64, tol=1);"
        "print(first - (time.perf_counter() - begin))"
    )
    with tempfile.TemporaryDirectory() as folder:
        env = dict(os.environ, NUMBA_CACHE_DIR=folder, PYTHONWARNINGS="ignore")
        times = [float(subprocess.check_output([sys.executable, "-c", code], env=env)) for _ in range(6)]
    print(f"{'start of a process, beyond the work itself':44}{'nothing compiled yet':26}{times[0]:11.2f} s")
    print(f"{'':44}{'kernels from the cache':26}{median(times[1:]):11.2f} s")


PARTS = {f.__name__: f for f in (predict, wide, pixels, pictures, small, blobs, real, patches, tiny, threads, start)}

if __name__ == "__main__":
    warnings.simplefilter("ignore")
    print(*(f"{i['internal_api']} {i.get('architecture')}, {i['num_threads']} threads" for i in threadpool_info()))
    for part in sys.argv[1:] or PARTS:
        PARTS[part]()
