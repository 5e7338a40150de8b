"""A fitted model as names, numbers and an estimator: what another laboratory needs to use it."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from dex.errors import InputError
from dex.learn.centroids import Centroids
from dex.learn.depth import Depth, Table
from dex.learn.estimators import Foreign
from dex.learn.logistic import Logistic
from dex.learn.recipe import Fitted
from dex.learn.ridge import Ridge

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dex.typing import Float, Int

_OWN = {"Logistic": Logistic, "Ridge": Ridge, "Centroids": Centroids}


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """What :func:`dex.tl.classify`, ``regress`` and ``signature`` return.

    It is used by :func:`dex.tl.predict`, and kept by :func:`dex.io.save_model`.
    """

    outcome: str
    """Column of ``obs`` that was learnt."""
    classes: tuple[str, ...]
    """Its levels, the reference first; empty for numbers."""
    fitted: Fitted
    """Positions of its genes are in ``background``."""
    background: np.ndarray[Any, Any]
    """Names of all genes that the counts were normalised over, ``(n_background,)``."""
    params: dict[str, Any] = field(default_factory=dict)
    """How it was made; strings and numbers."""

    @property
    def genes(self) -> np.ndarray[Any, Any]:
        """Names of the genes that it looks at, best first."""
        return np.asarray(self.background[self.fitted.genes])

    @property
    def coef(self) -> Float:
        """Coefficients on standard deviations of the genes, ``(n_genes, n_columns)``.

        Of two classes one column, log odds of the second; NaN where the estimator has none. Of
        more, standardised centroids if they are those.
        """
        estimator = self.fitted.estimator
        found = getattr(estimator, "coef", None)
        if isinstance(estimator, Centroids) and len(self.classes) == 2:
            found = estimator.log_odds
        if found is None or found.shape[1] != len(self.fitted.genes):
            return np.full((len(self.fitted.genes), 1), np.nan)
        return np.asarray(found.T, dtype=np.float64)

    @property
    def has_signs(self) -> bool:
        """Whether coefficients tell a direction, as importances of trees do not."""
        estimator = self.fitted.estimator
        return not isinstance(estimator, Foreign) or hasattr(estimator.estimator, "coef_")

    def __repr__(self) -> str:
        what = ", ".join(self.classes) if self.classes else "numbers"
        kind = type(getattr(self.fitted.estimator, "estimator", self.fitted.estimator)).__name__
        return f"Model({self.outcome!r}: {what}; {len(self.fitted.genes)} genes; {kind})"

    def predict(self, counts: Any, names: Sequence[str]) -> tuple[Float, Int]:
        """Predict new observations from counts (or values) of genes in any order.

        Returns
        -------
        Probabilities ``(n_obs, n_classes)``, or numbers ``(n_obs, 1)``; and the positions, among
        :attr:`genes`, of those that ``names`` lacks, which are taken to be as in training.
        """
        place = {name: j for j, name in enumerate(names)}
        column = np.array([place.get(name, -1) for name in self.background], dtype=np.intp)
        common = np.flatnonzero(column >= 0)
        depth, matrix = self.fitted.depth, counts[:, column[common]]
        if depth.method == "none":
            table, values_depth = Table.of_values(matrix), depth
        else:
            mass = float(depth.reference[common].sum())
            values_depth = depth.restricted(common, mass)
            table = Table.of_counts(matrix, depth.method).times(mass)
        position = {int(j): at for at, j in enumerate(common)}
        at = np.array([position.get(int(j), -1) for j in self.fitted.genes], dtype=np.intp)
        here = np.flatnonzero(at >= 0)
        X = np.tile(self.fitted.mean, (matrix.shape[0], 1))
        rows = np.arange(matrix.shape[0])
        values = table.values(values_depth, rows, at[here])
        X[:, here] = values if isinstance(values, np.ndarray) else values.toarray()
        return self.fitted.predict_values(X), np.flatnonzero(at < 0)

    def parts(self) -> tuple[dict[str, Any], dict[str, np.ndarray[Any, Any]], Any]:
        """Words and numbers for JSON, arrays for npz, and the estimator if it is not our own."""
        estimator, depth = self.fitted.estimator, self.fitted.depth
        own = type(estimator).__name__ if type(estimator).__name__ in _OWN else ""
        words = {
            "outcome": self.outcome,
            "classes": list(self.classes),
            "background": [str(name) for name in self.background],
            "params": self.params,
            "estimator": own,
            "method": depth.method,
            "numbers": {
                "prior": depth.prior,
                "log_centre": depth.log_centre,
                "reference_size": depth.reference_size,
            },
        }
        arrays = {
            "genes": self.fitted.genes,
            "mean": self.fitted.mean,
            "sd": self.fitted.sd,
            "prior": self.fitted.prior,
            "reference": depth.reference,
        }
        if own:
            for part in fields(estimator):
                arrays[f"estimator_{part.name}"] = np.asarray(getattr(estimator, part.name))
        return words, arrays, None if own else estimator

    @classmethod
    def from_parts(
        cls, words: Mapping[str, Any], arrays: Mapping[str, np.ndarray[Any, Any]], foreign: Any
    ) -> Model:
        """Put a model together again."""
        depth = Depth(words["method"], **words["numbers"], reference=arrays["reference"])
        estimator = foreign
        if words["estimator"]:
            kind: Any = _OWN[words["estimator"]]
            held = {part.name: arrays[f"estimator_{part.name}"] for part in fields(kind)}
            estimator = kind(**{n: float(a) if a.ndim == 0 else a for n, a in held.items()})
        parts = (arrays["genes"], arrays["mean"], arrays["sd"], estimator, arrays["prior"])
        return cls(
            str(words["outcome"]),
            tuple(words["classes"]),
            Fitted(depth, *parts),
            np.array(words["background"], dtype=object),
            dict(words["params"]),
        )


def of_table(fitted: Fitted, table: Table, rows: Int) -> Fitted:
    """Keep what new data need that have fewer genes: the shares of all genes in training."""
    if fitted.depth.method in {"library", "cells"}:
        shares = table.mean_shares(rows)
        return replace(fitted, depth=replace(fitted.depth, reference=shares))
    reference = np.array(fitted.depth.reference)  # of its own, not a row of a table
    return replace(fitted, depth=replace(fitted.depth, reference=reference))


def check_overlap(model: Model, n_missing: int, least: float) -> None:
    """Refuse a prediction from too few of the genes.

    Raises
    ------
    InputError
        If less than the share ``least`` is there.
    """
    n = len(model.fitted.genes)
    if n - n_missing < least * n:
        first = ", ".join(map(repr, model.genes[:3]))
        msg = (
            f"only {n - n_missing} of the {n} genes of the model are in var_names (it looks for "
            f"{first}, ...); min_overlap={least:g} asks for more. Are the names of one kind?"
        )
        raise InputError(msg)
