"""Markers by effect sizes over all pairs of groups, without p-values."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np

from dex._logging import logger
from dex.data.threads import map_threads, thread_count
from dex.design.reference import level_index
from dex.design.tests import TestInfo
from dex.errors import InputError
from dex.results import Result, Status
from dex.results.actual import check_writable
from dex.results.store import check_free, check_key, check_stats, store
from dex.stats.moments import group_moments, group_positive
from dex.stats.pairwise import PairEffects, Pairs, min_rank, pair_effects, summarise_pairs
from dex.tl._analysis import divisors_of
from dex.tl._finish import expand
from dex.tl._grouped import Grouped, Measurement
from dex.tl._recorded import measured_params

if TYPE_CHECKING:
    from collections.abc import Sequence

    from anndata import AnnData
    from numpy.typing import ArrayLike

    from dex.data.expression import Columns, GeneBlock
    from dex.typing import Float, Int

_BUDGET = 2**28
"""Bytes of pairwise effects that are held at once, which ranks of genes need."""
_EFFECTS = {"auc_excess": "auc", "cohens_d": "cohens_d", "pct_diff": "pct_diff"}
"""Effects of a pair, and the columns that sum them up."""
_OTHERS = "each other group"


def score_markers(
    adata: AnnData,
    groupby: str,
    *,
    groups: Sequence[str] | None = None,
    exclude: Sequence[str] = (),
    block: str | None = None,
    layer: str | None = None,
    scale: str | None = None,
    unit: str | None = None,
    size_factors: str = "auto",
    mask_var: str | ArrayLike | None = None,
    stats: Sequence[str] | None = None,
    key_added: str = "score_markers",
    n_threads: int | None = None,
) -> None:
    """Score marker genes by their effect sizes against each other group, as scran does.

    Every group is compared with each other group by itself, so that no group counts for more
    because it has more cells, and a gene can be asked to tell the group from all others (``min``),
    from most (``median``) or from some (``max``). There are no p-values: clusters are found with
    the same genes, and cells are not replicates. The effects are scran's: the AUC, Cohen's d with
    the mean of both variances, and the difference of the fractions that express the gene.

    Parameters
    ----------
    adata
        Cells x genes: counts or logs in ``X`` or in a layer.
    groupby
        Column of ``adata.obs`` with the groups.
    groups
        Only these levels are scored; they are compared with all.
    exclude
        Levels that take no part.
    block
        Column of ``obs`` with a nuisance, as batch or donor: pairs are compared within its levels,
        and their effects averaged, weighted by the product of both numbers of cells.
    layer, scale, unit, size_factors, mask_var, n_threads
        As in :func:`dex.tl.rank_genes`.
    stats
        Columns to keep, as ``["auc_min", "auc_min_rank"]``, beside ``log2fc`` and ``auc_mean``; by
        default all.
    key_added
        Where the result goes; an earlier result there is replaced.

    Returns
    -------
    None. Writes a result as :func:`dex.tl.rank_genes` does, a column for each group, with, for
    ``auc``, ``cohens_d`` and ``pct_diff`` (the latter only where zeros are zeros), ``_min``,
    ``_mean``, ``_median``, ``_max`` over the pairs and ``_min_rank``, the best rank of the gene
    in any pair: genes with a min rank of up to T are the T best of each pair. Beside them
    ``mean_group`` and ``pct_group``, ``mean_reference`` and ``pct_reference`` as means over the
    other groups, and ``log2fc`` of the means. :func:`dex.get.rank_genes_df` lists the largest
    ``auc_mean`` first; genes that no group expresses are NaN.

    Raises
    ------
    InputError
        If a column, level or matrix cannot be used as asked.

    Notes
    -----
    Memory beyond the matrix: 256 MB of pairwise effects, or those of one group if they are more
    (24 bytes for each gene and other group), and about twice that while they are made; with many
    groups it takes several passes over the matrix.

    References
    ----------
    .. [Lun2016] Lun, McCarthy & Marioni (2016). A step-by-step workflow for low-level analysis of
       single-cell RNA-seq data with Bioconductor. F1000Research 5, 2122; ``?scran::scoreMarkers``.

    Examples
    --------
    >>> import dex
    >>> adata = dex.datasets.pbmc68k()
    >>> dex.tl.score_markers(adata, "bulk_labels")
    >>> table = dex.get.rank_genes_df(adata, "CD19+ B", key="score_markers")
    >>> table["gene"].head(2).tolist()
    ['CD79A', 'CD79B']
    """
    check_key(key_added)
    thread_count(n_threads)
    check_writable(adata)
    check_free(adata, key_added)
    check_stats(stats)
    measurement = Measurement(
        layer=layer,
        scale=scale,
        unit=unit,
        size_factors=size_factors,
        mask_var=mask_var,
        n_threads=n_threads,
    )
    wanted = [groups] if isinstance(groups, str) else groups
    grouped = Grouped.from_adata(
        adata,
        groupby,
        exclude=exclude,
        named=wanted or (),
        block=block,
        reference="rest",
        measurement=measurement,
    )
    for note in grouped.notes:
        logger.info(note)
    chosen = _chosen(grouped, wanted)
    columns = _full(_columns(grouped, chosen, n_threads), grouped.genes, adata.n_vars)
    store(adata, _result(grouped, chosen, columns, block=block), key=key_added, stats=stats)


def _chosen(grouped: Grouped, names: Sequence[str] | None) -> Int:
    """Codes of the groups to score."""
    groups = grouped.groups
    if names is None:
        return np.arange(len(groups.levels))
    codes = [
        level_index(groups.levels, name, column=groups.column, argument="groups") for name in names
    ]
    if not codes:
        msg = "groups= names no group; leave it out for all of them."
        raise InputError(msg)
    return np.array(list(dict.fromkeys(codes)), dtype=np.intp)


def _columns(grouped: Grouped, chosen: Int, n_threads: int | None) -> Columns:
    """All columns of the genes tested, by as many groups at once as the budget holds."""
    n_groups = len(grouped.groups.levels)
    bytes_per_group = 8 * len(_EFFECTS) * len(grouped.genes) * (n_groups - 1)
    at_once = max(_BUDGET // bytes_per_group, 1)
    parts = [
        _some_groups(grouped, chosen[start : start + at_once], n_threads)
        for start in range(0, len(chosen), at_once)
    ]
    return {name: np.hstack([part[name] for part in parts]) for name in parts[0]}


def _some_groups(grouped: Grouped, chosen: Int, n_threads: int | None) -> Columns:
    n_groups = len(grouped.groups.levels)
    pairs = Pairs.of(chosen, n_groups)

    def columns(genes: GeneBlock) -> Columns:
        effects = pair_effects(
            genes.values,
            genes.abundance,
            grouped.codes,
            pairs,
            n_groups=n_groups,
            strata=grouped.strata,
        )
        return _levels(genes, grouped, chosen) | _summaries(effects, pairs)

    found = grouped.expression.map_blocks(columns, n_threads=n_threads, label="pairs of groups")
    for effect, name in _EFFECTS.items():
        if effect in found:
            by_pair = found.pop(effect)
            by_pair[found["base_mean"][:, 0] == 0] = np.nan

            def ranks(i: int, by_pair: Float = by_pair) -> Float:
                return min_rank(by_pair, pairs, i)

            places = range(len(chosen))
            ranked = map_threads(ranks, places, n_threads=n_threads, label="ranks of genes")
            found[f"{name}_min_rank"] = np.column_stack(ranked)
    return found


def _summaries(effects: PairEffects, pairs: Pairs) -> Columns:
    """Summaries by their names in the schema, and the effects themselves by pair."""
    columns: Columns = {}
    for effect, name in _EFFECTS.items():
        values = getattr(effects, effect)
        if values is None:
            continue
        columns[effect] = values
        summary = summarise_pairs(values, pairs)
        centre = 0.5 if effect == "auc_excess" else 0.0
        for field in fields(summary):
            columns[f"{name}_{field.name}"] = getattr(summary, field.name) + centre
    return columns


def _levels(genes: GeneBlock, grouped: Grouped, chosen: Int) -> Columns:
    """Means and fractions of each group, and their means over the other groups."""
    codes, n_groups = grouped.codes, len(grouped.groups.levels)
    mean = group_moments(genes.linear, codes, n_groups).mean
    columns: Columns = _own_and_others("mean", mean, chosen)
    pseudocount = grouped.expression.pseudocount
    sides = (columns[f"mean_{side}"] + pseudocount for side in ("group", "reference"))
    with np.errstate(divide="ignore", invalid="ignore"):
        columns["log2fc"] = np.log2(np.divide(*sides))
    columns["base_mean"] = np.repeat(genes.linear.mean(axis=0)[:, None], len(chosen), axis=1)
    if genes.abundance is not None:
        positive = group_positive(genes.abundance, codes, n_groups)
        with np.errstate(invalid="ignore"):  # a group without observations in any block
            fractions = positive / np.bincount(codes, minlength=n_groups)
        columns |= _own_and_others("pct", fractions, chosen)
    return columns


def _own_and_others(name: str, values: Float, chosen: Int) -> Columns:
    n = np.sum(~np.isnan(values), axis=1, keepdims=True)
    others = [np.nansum(np.delete(values, g, axis=1), axis=1) for g in chosen]
    own = values[:, chosen]
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.column_stack(others) / (n - ~np.isnan(own))
    return {f"{name}_group": own, f"{name}_reference": mean}


def _full(columns: Columns, genes: Int, n_vars: int) -> Columns:
    """Give every gene of the AnnData its row, and NaN where nobody expresses it."""
    nowhere = np.equal(columns["base_mean"], 0)
    status = np.where(nowhere, Status.ALL_ZERO, Status.TESTED).astype(np.int8)
    described = ("base_mean", "mean_group", "mean_reference", "pct_group", "pct_reference")
    full = {
        name: expand(
            values if name in described else np.where(nowhere, np.nan, values), genes, n_vars
        )
        for name, values in columns.items()
    }
    full["status"] = np.full((n_vars, status.shape[1]), Status.FILTERED, dtype=np.int8)
    full["status"][genes] = status
    return full


def _result(grouped: Grouped, chosen: Int, columns: Columns, *, block: str | None) -> Result:
    levels = grouped.groups.levels
    sizes = np.bincount(grouped.codes, minlength=len(levels))
    infos = [TestInfo(f"{levels[g]} vs {_OTHERS}", "group", levels[g], _OTHERS) for g in chosen]
    params: dict[str, Any] = {
        "groupby": grouped.groups.column,
        "reference": "rest",
        **measured_params(grouped.expression),
        "method": "score_markers",
        "method_title": "effect sizes over pairs of groups",
        "citation": "Lun, McCarthy & Marioni (2016), F1000Research 5:2122",
        "block": block,
        "n_obs": len(grouped.codes),
    }
    return Result(
        columns,
        tuple(infos),
        tuple(sizes[chosen].tolist()),
        tuple((sizes.sum() - sizes[chosen]).tolist()),
        params,
        grouped.notes,
        size_factors=divisors_of(grouped.expression, len(grouped.groups.codes)),
    )
