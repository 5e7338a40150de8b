"""Classes and options of learning, and what is told of a model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dex._logging import logger
from dex.data.source import obs_of
from dex.design.labels import Labels, column_of, is_missing, is_numeric
from dex.design.reference import choose_reference
from dex.design.wording import listed
from dex.errors import InputError
from dex.learn.recipe import Outcome
from dex.learn.selection import SELECTORS
from dex.tl._double_dipping import clusters_among
from dex.tl._learning import Measured, check_count, labelled, spread

if TYPE_CHECKING:
    from anndata import AnnData

    from dex.learn.model import Model
    from dex.learn.permutation import Null
    from dex.learn.units import Units
    from dex.typing import Int

_MOST_CLASSES = 20
_CONFOUNDED = 1e-9


def read_classes(
    adata: AnnData, groupby: str, reference: str | None
) -> tuple[tuple[str, ...], Int, Int]:
    """Classes with the reference first, codes of the observations that have one, their positions.

    Raises
    ------
    InputError
        If there are not two to twenty classes.
    """
    column = column_of(obs_of(adata), groupby, argument="groupby")
    rows = labelled(column)
    labels = Labels.from_column(column)
    n = len(labels.levels)
    if n < 2:
        msg = f"groupby={groupby!r} has {n} class ({listed(labels.levels)}); two are needed."
        raise InputError(msg)
    if n > _MOST_CLASSES:
        hint = "; dex.tl.regress predicts numbers" if is_numeric(column) else ""
        msg = f"groupby={groupby!r} has {n} different values, more than {_MOST_CLASSES}{hint}."
        raise InputError(msg)
    chosen = choose_reference(labels, column=groupby, given=reference)
    for note in chosen.notes:
        logger.info(note)
    order = [chosen.index, *(k for k in range(n) if k != chosen.index)]
    codes = np.argsort(order)[labels.codes[rows]].astype(np.intp)
    return tuple(labels.levels[k] for k in order), codes, rows


def warn_of_clusters(adata: AnnData, groupby: str, layer: str | None) -> None:
    """Say so if the classes are clusters of what they are predicted from."""
    if clusters_among(adata, [groupby], layer):
        logger.warning(
            "obs[%r] are clusters of these very values, which predict them even if there are no "
            "groups: the area says how well new observations can be assigned, and p nothing.",
            groupby,
        )


def outcome_of(units: Units, batches: Int | None = None) -> Outcome:
    """Classes to be predicted."""
    return Outcome(units.codes, units.of_obs, units.n_classes, batches)


def batches_of(
    adata: AnnData, block: str | None, rows: Int, y: np.ndarray[Any, Any], *, unit: str
) -> Int | None:
    """Batch of each of ``rows``, as codes from 0; None for none.

    Raises
    ------
    InputError
        If there is no such column, if it has missing values, if observations are cells, or if
        batches and ``y`` cannot be told apart.
    """
    if block is None:
        return None
    column = column_of(obs_of(adata), block, argument="block").iloc[rows]
    if is_missing(column).any():
        msg = f"block={block!r}: some observations have no value in it; fill it in or drop them."
        raise InputError(msg)
    if unit == "cells":
        msg = "block= is for samples; add cells up with dex.pp.pseudobulk first."
        raise InputError(msg)
    batches = np.unique(Labels.from_column(column).codes, return_inverse=True)[1].ravel()
    of_batch = np.eye(int(batches.max()) + 1)[batches]
    left = y - of_batch @ np.linalg.lstsq(of_batch, y.astype(float), rcond=None)[0]
    if np.abs(left).max(initial=0.0) < _CONFOUNDED * max(float(np.ptp(y)), 1.0):
        msg = f"block={block!r}: each of its levels has one outcome only, so that neither is told."
        raise InputError(msg)
    return batches.astype(np.intp)


def check_options(
    select: str, n_genes: int | None, n_permutations: int, repeats: int | None
) -> None:
    """Refuse options out of their range.

    Raises
    ------
    InputError
        If one is.
    """
    if select not in SELECTORS:
        msg = f"select={select!r} is not known; it is one of {', '.join(map(repr, SELECTORS))}."
        raise InputError(msg)
    if n_genes is not None:
        check_count("n_genes", n_genes, 1)
    if repeats is not None:
        check_count("repeats", repeats, 1)
    check_count("n_permutations", n_permutations, 0)


def estimator_name(estimator: Any) -> str:
    """What an estimator is, in words."""
    if isinstance(estimator, str):
        return estimator
    if hasattr(estimator, "fit"):
        return type(estimator).__name__
    return f"Keras model of {getattr(estimator, '__name__', 'a builder')}"


def recorded(
    measured: Measured,
    units: Units,
    *,
    replicate: str | None,
    block: str | None,
    folds: str,
    n_repeats: int,
    seed: int,
) -> dict[str, Any]:
    """What ``params`` has of everything learnt: who, by which folds, from which values."""
    return {
        "replicate": replicate or "",
        "block": block or "",
        "folds": folds,
        "n_repeats": n_repeats,
        "n_donors": units.n_donors,
        "n_obs": len(measured.rows),
        "layer": measured.source.layer or "X",
        "scale": str(measured.source.scale),
        "unit": measured.source.unit,
        "normalised": measured.table.method,
        "seed": seed,
    }


def importance(
    model: Model, measured: Measured, n_vars: int
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Coefficients and ranks of the genes, for ``var``, and for ``varm`` if of several classes."""
    coef = spread(model.coef, measured.genes[model.fitted.genes], n_vars)
    size = np.abs(model.coef).max(axis=1)
    rank = np.full(len(size), np.nan)
    if not np.isnan(size).any():
        rank[np.lexsort((np.arange(len(size)), -size))] = np.arange(1, len(size) + 1)
    var = {"rank": spread(rank, measured.genes[model.fitted.genes], n_vars)}
    if coef.shape[1] == 1:
        return {"coef": coef[:, 0], **var}, {}
    return var, {"coef": coef}


def permutation_entry(null: Null | None, observed: float) -> dict[str, Any]:
    """What ``uns`` remembers of the permutations."""
    if null is None:
        return {
            "values": np.empty(0),
            "observed": observed,
            "pval": np.nan,
            "n_possible": np.nan,
            "exact": False,
        }
    return {
        "values": null.drawn,
        "observed": observed,
        "pval": null.pval(observed),
        "n_possible": null.n_possible,
        "exact": null.exact,
    }
