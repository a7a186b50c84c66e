"""What scikit-learn asks of an estimator, without scikit-learn.

scikit-learn is imported only inside methods that it calls itself; what it has loaded is looked up, not imported.
"""

import copy
import inspect
import sys
import warnings
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, Self, TypeVar

import numpy as np

from .lloyd import Array

T = TypeVar("T", bound=type)

CONTAINERS = ("default", "pandas", "polars")
UNCHANGED = "$UNCHANGED$"  # scikit-learn's own mark
MOST_NAMES = 5  # column names that an error lists


class ConvergenceWarning(UserWarning):
    """A fit stopped at `max_iter`, or found fewer distinct points than clusters."""


class NotFittedError(ValueError, AttributeError):
    """`fit` has to come before."""


def also_theirs(kind: T) -> T:
    """The class, or where scikit-learn is loaded one that is caught by its class of the same name as well."""
    theirs = getattr(sys.modules.get("sklearn.exceptions"), kind.__name__, None)
    return kind if theirs is None else _both(kind, theirs)


@cache
def _both(kind: T, theirs: type) -> Any:
    restored = {"__reduce__": lambda self: (_restored, (kind, self.args))}
    return type(kind.__name__, (kind, theirs), {"__doc__": kind.__doc__, "__module__": kind.__module__, **restored})


def _restored(kind: type, arguments: tuple[Any, ...]) -> Any:
    """A pickled warning or error: scikit-learn may not be loaded where it is unpickled."""
    return also_theirs(kind)(*arguments)


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn at the line that called this package."""
    here, frame, level = str(Path(__file__).parent), sys._getframe(), 1
    while frame.f_back is not None and frame.f_code.co_filename.startswith(here):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)


def column_names(X: Any) -> Array | None:
    """The names (d,) of a data frame's columns, an array of objects; None without names, or where none is a string.

    Raises
    ------
    TypeError
        Where some are strings and some are not.
    """
    names = getattr(X, "column_names", None)  # pyarrow, whose `columns` are the data
    names = getattr(X, "columns", None) if names is None else names
    if isinstance(X, np.ndarray) or names is None or callable(names) or len(names) == 0:
        return None
    strings = [isinstance(name, str) for name in names]
    if any(strings) and not all(strings):
        kinds = sorted({type(name).__qualname__ for name in names})
        raise TypeError(
            "Feature names are only supported if all input features have string names, but your input has "
            f"{kinds} as feature name / column name types: X.columns = X.columns.astype(str) makes them strings"
        )
    return np.array(list(names), dtype=object) if all(strings) else None


class Clusterer:
    """The parameters, the column names and the output of an estimator; what scikit-learn's tools look for.

    The parameters are those of `__init__`, stored under their names.
    """

    n_features_in_: int
    feature_names_in_: Array
    cluster_centers_: Array

    _requests: dict[str, Any] = {}  # noqa: RUF012 - replaced, never changed
    _container: str | None = None

    # Parameters

    @classmethod
    def _defaults(cls) -> dict[str, Any]:
        parameters = inspect.signature(cls).parameters.values()
        return {p.name: p.default for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)}

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The parameters by name. `deep` is for estimators that hold others; this one does not."""
        return {name: getattr(self, name) for name in self._defaults()}

    def set_params(self, **params: Any) -> Self:
        """Set parameters by name. Their values are checked by `fit`.

        Raises
        ------
        ValueError
            For a name that is none of the parameters.
        """
        known = list(self._defaults())
        for name in params:
            if name not in known:
                raise ValueError(f"Invalid parameter {name!r} for estimator {self}. Valid parameters are: {known}.")
        for name, value in params.items():
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        defaults = self._defaults()
        changed = {
            name: value
            for name, value in self.get_params().items()
            if not (value is defaults[name] or (np.isscalar(value) and value == defaults[name]))
        }
        with np.printoptions(precision=4, threshold=20, edgeitems=2):
            return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in changed.items())})"

    def __sklearn_clone__(self) -> Self:
        twin = type(self)(**copy.deepcopy(self.get_params()))
        twin._requests, twin._container = self._requests, self._container
        return twin

    # Columns

    def _keep_columns(self, X: Any) -> None:
        """Remember the names of the columns of a fit."""
        self.__dict__.pop("feature_names_in_", None)
        names = column_names(X)
        if names is not None:
            self.feature_names_in_ = names

    def _check_columns(self, X: Any) -> None:
        """Names other than the fit's are an error; names on one side alone, a warning."""
        ours, theirs = getattr(self, "feature_names_in_", None), column_names(X)
        owner = type(self).__name__
        if ours is None and theirs is not None:
            warn(f"X has feature names, but {owner} was fitted without feature names")
        elif ours is not None and theirs is None:
            warn(f"X does not have valid feature names, but {owner} was fitted with feature names")
        elif ours is not None and theirs is not None and not np.array_equal(ours, theirs):
            unseen, missing = sorted(set(theirs) - set(ours)), sorted(set(ours) - set(theirs))
            message = "The feature names should match those that were passed during fit.\n"
            message += _listed("Feature names unseen at fit time:\n", unseen)
            message += _listed("Feature names seen at fit time, yet now missing:\n", missing)
            if not unseen and not missing:
                message += "Feature names must be in the same order as they were in fit.\n"
            raise ValueError(message)

    def get_feature_names_out(self, input_features: Any = None) -> Array:
        """The names of `transform`'s columns, (n_clusters,) strings: kmeans0, kmeans1, …

        Raises
        ------
        NotFittedError
        ValueError
            If input_features are given and are not the names of the fit, or not as many.
        """
        self._check_fitted()
        if input_features is not None:
            names = np.asarray(input_features, dtype=object)
            if not np.array_equal(getattr(self, "feature_names_in_", names), names):
                raise ValueError("input_features is not equal to feature_names_in_")
            if len(names) != self.n_features_in_:
                raise ValueError(
                    "input_features should have length equal to number of features "
                    f"({self.n_features_in_}), got {len(names)}"
                )
        prefix = type(self).__name__.lower()
        return np.array([f"{prefix}{j}" for j in range(len(self.cluster_centers_))], dtype=object)

    # Output

    def set_output(self, *, transform: str | None = None) -> Self:
        """What `transform` and `fit_transform` return: "default" (an array), "pandas" or "polars"; None: as before.

        Raises
        ------
        ValueError
            For another name.
        """
        if transform is not None and transform not in CONTAINERS:
            raise ValueError(f"transform must be one of {CONTAINERS} or None; got {transform!r}")
        self._container = transform or self._container
        return self

    def _contained(self, values: Array, X: Any) -> Any:
        """The output of `transform` in the container that is set here, or for all of scikit-learn."""
        config: dict[str, Any] = getattr(sys.modules.get("sklearn"), "get_config", dict)()
        container = self._container or config.get("transform_output", "default")
        if container == "pandas":
            frames = import_module("pandas")
            index = X.index if isinstance(X, frames.DataFrame | frames.Series) else None
            return frames.DataFrame(values, index=index, columns=self.get_feature_names_out(), copy=False)
        if container == "polars":
            return import_module("polars").DataFrame(values, schema=list(self.get_feature_names_out()), orient="row")
        return values

    # State, and what scikit-learn calls

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "cluster_centers_")

    def _check_fitted(self) -> None:
        if not self.__sklearn_is_fitted__():
            raise also_theirs(NotFittedError)(
                f"This {type(self).__name__} instance is not fitted yet. Call 'fit' with appropriate arguments before "
                "using this estimator."
            )

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import Tags, TargetTags, TransformerTags

        return Tags(
            estimator_type="clusterer",
            target_tags=TargetTags(required=False),
            transformer_tags=TransformerTags(preserves_dtype=["float64", "float32"]),
        )

    def set_fit_request(self, *, sample_weight: bool | str | None = UNCHANGED) -> Self:
        """Whether scikit-learn's pipelines and searches pass `sample_weight` on to `fit` (metadata routing)."""
        return self._request("fit", sample_weight)

    def set_score_request(self, *, sample_weight: bool | str | None = UNCHANGED) -> Self:
        """Whether scikit-learn's pipelines and searches pass `sample_weight` on to `score` (metadata routing)."""
        return self._request("score", sample_weight)

    def _request(self, method: str, alias: bool | str | None) -> Self:
        if alias != UNCHANGED:
            self._requests = {**self._requests, method: alias}
        return self

    def get_metadata_routing(self) -> Any:
        """What `set_fit_request` and `set_score_request` asked for, as scikit-learn's `MetadataRequest`."""
        from sklearn.utils.metadata_routing import MetadataRequest

        routing = MetadataRequest(owner=type(self).__name__)
        for method in ("fit", "score"):
            getattr(routing, method).add_request(param="sample_weight", alias=self._requests.get(method))
        return routing


def _listed(title: str, names: list[str]) -> str:
    """A title and the first names under it; nothing where there are none."""
    lines = [f"- {name}\n" for name in names[:MOST_NAMES]] + ["- ...\n"] * (len(names) > MOST_NAMES)
    return title + "".join(lines) if names else ""
