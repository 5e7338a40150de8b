"""Table of what a model knows of every gene, from a fit or from a result made by one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from dex.data.source import var_of
from dex.errors import InputError
from dex.get._symbols import gene_labels
from dex.results.fit_store import is_fit
from dex.results.schema import FIT_COLUMNS
from dex.results.stored import is_result

if TYPE_CHECKING:
    from anndata import AnnData


def fit_df(
    adata: AnnData, key: str = "rank_genes", *, gene_symbols: str | None = None
) -> pd.DataFrame:
    """Table of what a model has fitted to every gene: variance, dispersion, ...

    Parameters
    ----------
    adata
        With a fit of :func:`dex.tl.fit`, or a result of :func:`dex.tl.rank_genes` by a model.
    key
        Where it is.
    gene_symbols
        Column of ``var`` to show instead of ``var_names``.

    Returns
    -------
    A row per gene in the order of ``adata``: ``gene``, then the columns that the method has; NaN
    where a gene was not fitted.

    Raises
    ------
    dex.errors.InputError
        If there is neither under ``key``, or the method fits no model.

    Examples
    --------
    >>> import dex
    >>> adata = dex.datasets.simulate_counts(n_genes=100, n_per_group=4, seed=0)
    >>> dex.tl.fit(adata, "~ condition", method="ols")
    >>> dex.get.fit_df(adata, "fit").columns.tolist()
    ['gene', 'base_mean', 'var']
    """
    var = var_of(adata)
    columns = {name: np.asarray(var[f"{key}_{name}"]) for name in _columns(adata, key)}
    if "base_mean" not in columns:  # of a result, that of its tests
        columns["base_mean"] = np.asarray(adata.varm[f"{key}_base_mean"])[:, 0]
    ordered = {name: columns[name] for name in FIT_COLUMNS if name in columns}
    return pd.DataFrame({"gene": gene_labels(adata, gene_symbols), **ordered})


def shared_of(adata: AnnData, key: str) -> dict[str, Any]:
    """What a model has of all genes together, as its trend; as :func:`fit_df` otherwise."""
    _columns(adata, key)
    return dict(adata.uns[key]["shared"])


def _columns(adata: AnnData, key: str) -> list[str]:
    entry: Any = adata.uns.get(key)
    if is_fit(entry):
        return [str(name) for name in entry["var"] if str(name) != "tested"]
    if is_result(entry) and len(entry.get("fit_columns", ())):
        return [str(name) for name in entry["fit_columns"]]
    if is_result(entry) and "per" in entry["params"]:
        per = str(entry["params"]["per"])
        msg = (
            f"key={key!r}: every level of {per!r} has a fit of its own, which is not kept; rank "
            f"one by itself, adata[adata.obs[{per!r}] == level].copy(), without per=."
        )
        raise InputError(msg)
    why = "was made without a model" if is_result(entry) else "is not there"
    msg = f"key={key!r}: {why}; dex.tl.fit or dex.tl.rank_genes by a model leave what is needed."
    raise InputError(msg)
