"""What has been learnt, as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from dex.errors import InputError

if TYPE_CHECKING:
    from anndata import AnnData

_ORDER = (
    "auc",
    "concordance",
    "r2",
    "balanced_accuracy",
    "accuracy",
    "average_precision",
    "brier",
    "log_loss",
    "calibration_slope",
    "calibration_intercept",
    "rmse",
    "mae",
    "pearson",
    "pval",
)
"""Files have them by the alphabet."""
_CHANCE = {"auc": 0.5, "concordance": 0.5, "r2": 0.0}


def metrics_df(adata: AnnData, key: str = "classify") -> pd.DataFrame:
    """How well labels or numbers are predicted, as a tidy table.

    Parameters
    ----------
    adata
        AnnData after :func:`dex.tl.classify`, ``regress`` or ``signature``.
    key
        Where the result is.

    Returns
    -------
    A row for each metric with ``metric``, ``value``, ``low`` and ``high`` (95% interval over
    donors, of the area and of the concordance) and ``chance``, which a prediction without the
    data would have.

    Raises
    ------
    InputError
        If there is no such result.

    Examples
    --------
    >>> import dex
    >>> adata = dex.datasets.simulate_counts(n_genes=100, n_per_group=6, seed=1)
    >>> model = dex.tl.classify(adata, "condition", n_permutations=19, repeats=1)
    >>> dex.get.metrics_df(adata).set_index("metric").loc["auc", "value"]
    np.float64(1.0)
    """
    found = learnt(adata, key, need="metrics")["metrics"]
    names = [name for name in _ORDER if name in found]
    return pd.DataFrame(
        {
            "metric": names,
            "value": [float(found[name]) for name in names],
            "low": [float(found.get(f"{name}_low", np.nan)) for name in names],
            "high": [float(found.get(f"{name}_high", np.nan)) for name in names],
            "chance": [
                float(found.get(f"{name}_chance", _CHANCE.get(name, np.nan))) for name in names
            ],
        }
    )


def learnt(adata: AnnData, key: str, *, need: str) -> dict[str, Any]:
    """Return the entry of ``uns`` that has ``need``.

    Raises
    ------
    InputError
        If there is none, naming those that there are.
    """
    entry = adata.uns.get(key)
    if isinstance(entry, dict) and "made_by" in entry and need in entry:
        return entry
    have = [
        str(name)
        for name, one in adata.uns.items()
        if isinstance(one, dict) and "made_by" in one and need in one
    ]
    maker = {
        "explained": "modules",
        "null_mean": "prioritize",
        "sizes": "signature",
        "path": "signature(method='stability')",
    }.get(need, "classify")
    hint = f"it has {', '.join(map(repr, have))}" if have else f"run dex.tl.{maker} first"
    msg = f"key={key!r}: adata.uns has no such result of learning; {hint}."
    raise InputError(msg)


def signature_df(adata: AnnData, key: str = "signature") -> pd.DataFrame:
    """Genes of a signature, best first: rank, frequency and coefficient of each.

    Parameters
    ----------
    adata
        AnnData after :func:`dex.tl.signature`, ``classify`` or ``regress``.
    key
        Where the result is.

    Returns
    -------
    A row for each gene in the model, with ``gene``, ``rank``, ``frequency`` (the share of the fits
    that chose it) and ``coef`` (on standard deviations of the gene; the largest, of several
    classes).

    Raises
    ------
    InputError
        If there is no such result.

    Examples
    --------
    >>> import dex
    >>> adata = dex.datasets.simulate_counts(n_genes=100, n_per_group=6, seed=1)
    >>> model = dex.tl.classify(adata, "condition", n_genes=3, n_permutations=0, repeats=1)
    >>> dex.get.signature_df(adata, key="classify")["rank"].tolist()
    [1.0, 2.0, 3.0]
    """
    learnt(adata, key, need="metrics")
    var = adata.var
    if f"{key}_coef" in var:
        coef = var[f"{key}_coef"].to_numpy(dtype=np.float64)
    else:
        coefs = np.asarray(adata.varm[f"{key}_coef"], dtype=np.float64)
        largest = np.argmax(np.abs(np.nan_to_num(coefs)), axis=1)
        coef = np.take_along_axis(coefs, largest[:, None], axis=1)[:, 0]
    table = pd.DataFrame(
        {
            "gene": np.asarray(adata.var_names),
            "rank": var[f"{key}_rank"].to_numpy(dtype=np.float64),
            "frequency": var[f"{key}_frequency"].to_numpy(dtype=np.float64),
            "coef": coef,
        }
    )
    table = table[~np.isnan(table["rank"].to_numpy())]
    return table.sort_values("rank", kind="stable").reset_index(drop=True)
