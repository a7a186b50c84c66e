"""Lloyd's algorithm as three nested loops over Python floats. Nothing here is clever; everything else is held to it."""


def squared_distance(x, c):
    total = 0.0
    for a, b in zip(x, c, strict=True):
        total += (float(a) - float(b)) * (float(a) - float(b))
    return total


def assign(X, centroids):
    labels = []
    for x in X:
        best, label = float("inf"), 0
        for j, c in enumerate(centroids):
            distance = squared_distance(x, c)
            if distance < best:
                best, label = distance, j
        labels.append(label)
    return labels


def update(X, labels, weight, centroids):
    moved = []
    for j, c in enumerate(centroids):
        total, mass = [0.0] * len(c), 0.0
        for x, label, w in zip(X, labels, weight, strict=True):
            if label == j:
                mass += float(w)
                total = [t + float(w) * float(a) for t, a in zip(total, x, strict=True)]
        moved.append([t / mass for t in total] if mass > 0 else [float(a) for a in c])
    return moved


def inertia(X, labels, weight, centroids):
    return sum(float(w) * squared_distance(x, centroids[j]) for x, j, w in zip(X, labels, weight, strict=True))


def lloyd(X, centroids, weight):
    """Labels, centroids and iterations at the end; for data in which no cluster becomes empty."""
    before, n_iter = None, 0
    while True:
        labels = assign(X, centroids)
        n_iter += 1
        centroids = update(X, labels, weight, centroids)
        if labels == before:
            return labels, centroids, n_iter
        before = labels
