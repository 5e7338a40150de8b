"""Tables of ranked genes, and of running sums of gene sets down them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from dex.errors import InputError
from dex.get._enrichment import gene_sets
from dex.get._symbols import gene_labels
from dex.results.enrichment import read_enrichment
from dex.results.gene_metric import gene_metric
from dex.results.stored import StoredResult
from dex.stats.gene_sets import SetIndex
from dex.stats.running_sum import RankedList, running_sum, running_sums

if TYPE_CHECKING:
    from collections.abc import Sequence

    from anndata import AnnData


def ranked_genes_df(
    adata: AnnData,
    contrast: str | None = None,
    *,
    key: str = "enrich",
    gene_symbols: str | None = None,
) -> pd.DataFrame:
    """Table of the genes that gene sets were tested among, from the most up to the most down.

    Parameters
    ----------
    adata
        AnnData after :func:`dex.tl.enrich`.
    contrast
        One of the contrasts; it may be left out if there is only one.
    key
        Where the table of gene sets is.
    gene_symbols
        Column of ``var`` to name the genes by; by default that in which the sets were found.

    Returns
    -------
    pandas.DataFrame
        One row per gene with a p-value: ``gene`` (of ``var_names``), ``label``, ``metric`` (what
        genes are ranked by: the ``metric=`` of :func:`dex.tl.enrich`).

    Raises
    ------
    InputError
        If there is no such table or contrast, or if its test has no direction.

    Examples
    --------
    >>> import dex
    >>> adata = dex.datasets.simulate_counts(n_genes=50, n_per_group=4, seed=1)
    >>> dex.tl.rank_genes(adata, groupby="condition")
    >>> dex.tl.enrich(adata, {"first": adata.var_names[:20]}, method="ora")
    >>> bool(dex.get.ranked_genes_df(adata)["metric"].is_monotonic_decreasing)
    True
    """
    found = read_enrichment(adata, key)
    contrasts = [str(name) for name in found.params["contrasts"]]
    if contrast is None and len(contrasts) > 1:
        msg = f"there are {len(contrasts)} contrasts; choose with contrast=: {contrasts[:10]}."
        raise InputError(msg)
    name = contrasts[0] if contrast is None else contrast
    if name not in contrasts:
        msg = f"contrast={name!r} was not tested; there is {contrasts[:10]}."
        raise InputError(msg)
    stored = StoredResult.from_adata(adata, str(found.params["key"]))
    test = stored.position(name)
    genes = np.isfinite(stored.values("log10_pval")[:, test])
    metric = gene_metric(stored, test, genes, str(found.params["metric"]))
    if np.isnan(metric).all():
        msg = f"contrast={name!r} is a test without a direction: its genes have no order."
        raise InputError(msg)
    order = np.argsort(-metric, kind="stable")
    rows = np.flatnonzero(genes)[order]
    labels = gene_labels(adata, gene_symbols or found.params.get("gene_symbols"))
    return pd.DataFrame(
        {
            "gene": np.asarray(adata.var_names, dtype=object)[rows],
            "label": np.asarray(labels, dtype=object)[rows],
            "metric": metric[order],
        }
    )


def running_score_df(
    adata: AnnData,
    sets: str | Sequence[str],
    contrast: str | None = None,
    *,
    key: str = "enrich",
    gene_symbols: str | None = None,
) -> pd.DataFrame:
    """Table of the running sums of gene sets: a row for each gene of a set.

    Parameters
    ----------
    adata
        AnnData after :func:`dex.tl.enrich`, by whatever method.
    sets
        One or several of the sets tested.
    contrast
        One of the contrasts; it may be left out if there is only one.
    key, gene_symbols
        As for :func:`ranked_genes_df`.

    Returns
    -------
    pandas.DataFrame
        ``gene_set, gene, label``; ``place`` of the gene in the ranked list, from 0; ``metric``;
        ``before`` and ``after``, the sum before and after it; ``leading``, whether it is in the
        leading edge, up to the largest deviation from zero.

    Raises
    ------
    InputError
        As :func:`ranked_genes_df`, and if there is no such set or it has no gene in the list.

    Examples
    --------
    >>> import dex
    >>> adata = dex.datasets.simulate_counts(n_genes=50, n_per_group=4, seed=1)
    >>> dex.tl.rank_genes(adata, groupby="condition")
    >>> dex.tl.enrich(adata, {"first": adata.var_names[:20]}, method="gsea")
    >>> table = dex.get.running_score_df(adata, "first")
    >>> score = dex.get.enrich_df(adata)["score"].iloc[0]
    >>> bool(abs(table[["before", "after"]]).to_numpy().max().round(9) == abs(score).round(9))
    True
    """
    exponent = float(read_enrichment(adata, key).params.get("exponent", 1.0))
    ranked = ranked_genes_df(adata, contrast, key=key, gene_symbols=gene_symbols)
    stat = ranked["metric"].to_numpy(dtype=np.float64)
    listed = RankedList.from_stat(stat, exponent=exponent)
    position = {gene: j for j, gene in enumerate(ranked["gene"])}
    parts = []
    for name, genes in gene_sets(adata, sets, key=key).items():
        places = np.sort([position[gene] for gene in genes if gene in position]).astype(np.intp)
        if not 0 < len(places) < len(ranked):
            msg = f"{name!r} has {len(places)} of the {len(ranked)} genes ranked: no running sum."
            raise InputError(msg)
        _, sums = running_sum(listed, places)
        told = running_sums(listed, SetIndex.of([places], len(ranked)))
        up, peak = told.es[0] >= 0, told.peak[0]
        part = ranked.iloc[places].reset_index(drop=True)
        part.insert(0, "gene_set", name)
        part.insert(3, "place", places)
        part["before"], part["after"] = sums[1:-1:2], sums[2:-1:2]
        part["leading"] = places <= peak if up else places >= peak
        parts.append(part)
    return pd.concat(parts, ignore_index=True)
