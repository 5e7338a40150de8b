"""Clusters: how many, and how sure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from dex.errors import InputError

if TYPE_CHECKING:
    from anndata import AnnData

_PER_K = ("log_within", "expected", "gap", "error", "z", "ambiguous")


def gap_df(adata: AnnData, *, key: str = "cluster") -> pd.DataFrame:
    """How much better each number of clusters fits than it does points that are one cluster.

    Parameters
    ----------
    adata
        AnnData after :func:`dex.tl.cluster`.
    key
        Where its result is.

    Returns
    -------
    pandas.DataFrame
        A row for each number of clusters ``k``: ``log_within``, the log of the share of the
        scatter that is within clusters; ``expected``, its mean where there is one cluster;
        ``gap``, their difference, and its standard ``error``; ``z``; with ``"consensus"``, the
        ``ambiguous`` share of pairs; and whether that number was ``chosen``.

    Raises
    ------
    InputError
        If there is no such result, or it is of communities, which have no gap.

    Examples
    --------
    >>> import dex
    >>> adata = dex.datasets.simulate_counts(n_genes=200, n_per_group=6, log2fc_sd=3, seed=1)
    >>> dex.tl.cluster(adata, n_null=20)
    >>> dex.get.gap_df(adata).columns.tolist()[:5]
    ['k', 'log_within', 'expected', 'gap', 'error']
    """
    entry = clustering(adata, key)
    if "gap" not in entry:
        msg = f"the clusters {key!r} are by method='leiden', which has no gap statistic."
        raise InputError(msg)
    columns = {name: np.asarray(entry[name]) for name in _PER_K if name in entry}
    frame = pd.DataFrame(columns)
    frame.insert(0, "k", np.arange(1, len(frame) + 1))
    frame["chosen"] = frame["k"] == int(entry["k"])
    return frame


def consensus_df(adata: AnnData, *, key: str = "cluster") -> pd.DataFrame:
    """How often two observations, or genes, were clustered together.

    Parameters
    ----------
    adata
        AnnData after :func:`dex.tl.cluster` by consensus.
    key
        Where its result is.

    Returns
    -------
    pandas.DataFrame
        Symmetric, from 0 to 1, by the names of what was clustered.

    Raises
    ------
    InputError
        If there is no such result, or no consensus in it.

    Examples
    --------
    >>> import dex
    >>> adata = dex.datasets.simulate_counts(n_genes=200, n_per_group=6, log2fc_sd=3, seed=1)
    >>> dex.tl.cluster(adata, 2, n_null=20)
    >>> dex.get.consensus_df(adata).shape
    (12, 12)
    """
    params = clustering(adata, key)["params"]
    if params["method"] != "consensus":
        msg = (
            f"the clusters {key!r} are by method={params['method']!r}, which has no consensus; run "
            "dex.tl.cluster(adata, method='consensus')."
        )
        raise InputError(msg)
    of_obs = params["axis"] == "obs"
    pairs = adata.obsp if of_obs else adata.varp
    names = adata.obs_names if of_obs else adata.var_names
    values = np.asarray(pairs[f"{key}_consensus"])
    used = np.flatnonzero(cluster_labels(adata, key).notna())
    return pd.DataFrame(values[np.ix_(used, used)], index=names[used], columns=names[used])


def clustering(adata: AnnData, key: str) -> dict[str, Any]:
    """What :func:`dex.tl.cluster` has left in ``uns``.

    Raises
    ------
    InputError
        If it has left nothing there.
    """
    entry: Any = adata.uns.get(key)
    params = entry.get("params", {}) if isinstance(entry, dict) else {}
    if params.get("made_by") != "dex.tl.cluster":
        option = "" if key == "cluster" else f", key_added={key!r}"
        msg = f"there are no clusters in adata.uns[{key!r}]; run dex.tl.cluster(adata{option})."
        raise InputError(msg)
    return dict(entry)


def cluster_labels(adata: AnnData, key: str) -> pd.Series:
    """Clusters of observations, or of genes: missing for those that were not used."""
    of_obs = clustering(adata, key)["params"]["axis"] == "obs"
    return (adata.obs if of_obs else adata.var)[key]
