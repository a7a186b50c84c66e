"""A pytest plugin that runs scikit-learn's own tests of k-means on lloydq.

    python -m pytest -p in_place_of_sklearn --pyargs sklearn.cluster.tests.test_k_means

It puts lloydq's `KMeans`, `k_means` and `kmeans_plusplus` in the place of scikit-learn's before the tests are imported.
"""

import sklearn.cluster

import lloydq

for name in ("KMeans", "k_means", "kmeans_plusplus"):
    setattr(sklearn.cluster, name, getattr(lloydq, name))

# What is left out. Each key is a part of a test's name; each has to fit one at least.
PRIVATE = "tests a private function of scikit-learn"
SPARSE = "sparse input, which lloydq refuses"
MINIBATCH = "another estimator"
LEFT_OUT = {
    "test_relocate_empty_clusters[": PRIVATE,
    "test_euclidean_distance[": PRIVATE,
    "test_inertia[": PRIVATE,
    "test_is_same_clustering": PRIVATE,
    "test_sample_weight_init[": PRIVATE,
    "test_sample_weight_zero[": PRIVATE,
    "sparse_matrix": SPARSE,
    "sparse_array": SPARSE,
    "csr_matrix": SPARSE,
    "csr_array": SPARSE,
    "X_csr": SPARSE,
    "input_data1]": SPARSE,
    "input_data2]": SPARSE,
    "MiniBatchKMeans": MINIBATCH,
    "test_minibatch": MINIBATCH,
}


def pytest_collection_modifyitems(config, items):
    out = [item for item in items if any(part in item.nodeid for part in LEFT_OUT)]
    config.hook.pytest_deselected(items=out)
    items[:] = [item for item in items if item not in out]
    unused = [part for part in LEFT_OUT if not any(part in item.nodeid for item in out)]
    assert not unused, f"nothing is left out by {unused}"
