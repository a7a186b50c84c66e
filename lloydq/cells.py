"""The cells of centroids in the plane: what is nearer to one of them than to any other."""

import numpy as np

from .lloyd import Array


def cells(centroids: Array, low: Array, high: Array) -> list[Array]:
    """The corners (m, 2) of each centroid's cell within a box, in order around it; none where the cell lies outside.

    Parameters
    ----------
    centroids : (k, 2) array
    low, high : (2,) array-likes
        The box.

    Notes
    -----
    The box is cut by one half-plane after another (I. E. Sutherland, G. W. Hodgman, "Reentrant polygon clipping",
    Communications of the ACM 17, 1974).

    Examples
    --------
    >>> left, right = cells(np.array([[1.0, 1.0], [3.0, 1.0]]), [0, 0], [4, 2])
    >>> left.tolist()
    [[0.0, 0.0], [2.0, 0.0], [2.0, 2.0], [0.0, 2.0]]
    """
    (x, y), (right, top) = np.asarray(low, np.float64), np.asarray(high, np.float64)
    box = np.array([[x, y], [right, y], [right, top], [x, top]])
    return [_cell(centroid, centroids, box) for centroid in np.asarray(centroids, np.float64)]


def _cell(centroid: Array, others: Array, cell: Array) -> Array:
    for other in others:
        normal = other - centroid
        if len(cell) and normal.any():
            cell = _cut(cell, normal, float(normal @ (other + centroid)) / 2)
    return cell


def _cut(corners: Array, normal: Array, middle: float) -> Array:
    """What of a polygon (m, 2) lies where normal · x ≤ middle."""
    beyond, kept = corners @ normal - middle, list[Array]()
    for i in range(len(corners)):
        before, here = beyond[i - 1], beyond[i]
        if (before <= 0) != (here <= 0):
            kept.append(corners[i - 1] + before / (before - here) * (corners[i] - corners[i - 1]))
        if here <= 0:
            kept.append(corners[i])
    return np.array(kept).reshape(-1, 2)
