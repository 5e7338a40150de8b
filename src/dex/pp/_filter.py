"""Leave out genes with too few counts to be tested."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from dex._logging import logger
from dex.data.blocks import GeneBlocks
from dex.data.source import obs_of
from dex.data.sums import Sums
from dex.design.groups import Groups
from dex.design.matrix import Design
from dex.errors import InputError
from dex.pp._counts import find_source
from dex.stats.filtering import filter_by_expr, min_sample_size

if TYPE_CHECKING:
    from anndata import AnnData

    from dex.data import Source
    from dex.typing import Bool, Float, Int


FILTER_KEY: Final = "dex_filter"
"""``uns`` key where the rule is remembered by which genes were left out."""


def filter_genes(
    adata: AnnData,
    groupby: str | None = None,
    *,
    design: str | None = None,
    layer: str | None = None,
    min_count: float = 10.0,
    min_total_count: float = 15.0,
    large_n: float = 10.0,
    min_prop: float = 0.7,
    min_samples: int | None = None,
    inplace: bool = True,
) -> Bool | None:
    """Keep the genes with counts enough to be tested, by edgeR's ``filterByExpr`` or a plain rule.

    A gene is kept if it reaches the counts per million that are ``min_count`` counts in the
    median library, in about as many observations as the smallest group has, and has
    ``min_total_count`` counts in all [Chen2016]_. The rule does not look at which group an
    observation is in, so that the tests that follow stay valid.

    With ``min_samples``, the rule is plain: at least ``min_count`` counts, whatever the library,
    in at least ``min_samples`` observations.

    Parameters
    ----------
    adata
        Observations x genes, with raw counts.
    groupby
        Column of ``obs``: the smallest of its groups says in how many observations a gene must
        be expressed. If neither this nor ``design`` is given, all observations are one group.
    design
        Formula, in place of ``groupby``: one over its largest leverage takes the place of the
        smallest group.
    layer
        Layer with the counts; by default ``X``, or ``layers["counts"]`` where ``X`` holds something
        else, and that is said.
    min_count, min_total_count
        Counts in a library of median size, and in all.
    large_n, min_prop
        Of a smallest group larger than ``large_n``, only the share ``min_prop`` of what is above
        counts.
    min_samples
        Observations in which a gene must have ``min_count`` counts, in place of edgeR's rule and
        of ``groupby``, ``design`` and the bounds above.
    inplace
        Whether to leave the other genes out of ``adata``, or to return what would be kept.

    Returns
    -------
    None, or with ``inplace=False`` a boolean array ``(n_vars,)``. In place,
    ``adata.uns["dex_filter"]`` remembers the rule and the numbers of genes before and after.

    Raises
    ------
    dex.errors.InputError
        If there are no counts, if the column or formula cannot be used, or if no gene is kept.

    References
    ----------
    .. [Chen2016] Chen, Lun & Smyth (2016), F1000Research 5:1438.

    Examples
    --------
    >>> import dex
    >>> adata = dex.datasets.simulate_counts(n_genes=500, seed=0)
    >>> keep = dex.pp.filter_genes(adata, groupby="condition", inplace=False)
    >>> dex.pp.filter_genes(adata, groupby="condition")
    >>> adata.n_vars == int(keep.sum())
    True
    >>> dex.pp.filter_genes(adata, min_count=50, min_samples=3)
    >>> bool(((adata.X >= 50).sum(axis=0) >= 3).all())
    True
    """
    if inplace and adata.isbacked:
        msg = "genes cannot be left out of a file; rank adata.to_memory(), or use inplace=False."
        raise InputError(msg)
    _check_plain(min_samples, adata.n_obs, given=groupby or design)
    source = find_source(adata, need="genes are filtered by their counts", layer=layer)
    for note in source.notes:
        logger.info(note)
    if min_samples is not None:
        smallest: float = min_samples
        keep = _plain_rule(source, min_count, min_samples)
    else:
        rows, smallest = _smallest_group(adata, groupby, design, large_n=large_n, min_prop=min_prop)
        counts = GeneBlocks.all_genes(source, rows)
        rule = partial(
            filter_by_expr,
            lib_sizes=Sums.of(source, rows).totals,
            min_sample_size=smallest,
            min_count=min_count,
            min_total_count=min_total_count,
        )
        keep = np.concatenate(counts.map(rule, None, label="filter"))
    if not inplace:
        return keep
    if not keep.any():
        msg = f"no gene has {min_count:g} counts in {smallest:g} observations; lower min_count=."
        raise InputError(msg)
    logger.info("%d of %d genes kept.", keep.sum(), adata.n_vars)
    if min_samples is not None:
        words = f"a count of {min_count:g} in {min_samples} observations"
    else:
        words = (
            f"edgeR's filterByExpr rule (a count of {min_count:g} in the median library, in "
            f"{np.ceil(smallest - 1e-9):.0f} observations; {min_total_count:g} in all)"
        )
    n_before = adata.n_vars
    adata._inplace_subset_var(keep)  # as scanpy.pp.filter_genes does
    adata.uns[FILTER_KEY] = _record(adata.uns.get(FILTER_KEY), n_before, adata.n_vars, words)
    return None


def _record(earlier: Any, n_before: int, n_after: int, words: str) -> dict[str, int | str]:
    """What was left out, for the methods of a paper; steps one after the other are one record."""
    if isinstance(earlier, dict) and earlier.get("n_after") == n_before:
        n_before, words = int(earlier["n_before"]), f"{earlier['rule']}, then {words}"
    return {"n_before": n_before, "n_after": n_after, "rule": words}


def _check_plain(min_samples: int | None, n_obs: int, *, given: str | None) -> None:
    """Refuse a number of observations that there is not, or beside another rule for it."""
    if min_samples is None:
        return
    if given is not None:
        msg = (
            f"min_samples={min_samples!r} says in how many observations a gene must be expressed, "
            f"and {given!r} says so too; give one of them."
        )
        raise InputError(msg)
    whole = isinstance(min_samples, int | np.integer) and not isinstance(min_samples, bool)
    if not whole or not 1 <= min_samples <= n_obs:
        msg = f"min_samples={min_samples!r} is not a number of observations; adata has {n_obs}."
        raise InputError(msg)


def _plain_rule(source: Source, min_count: float, min_samples: int) -> Bool:
    counts = GeneBlocks.all_genes(source, np.arange(len(source.obs_names)))
    n_enough = counts.map(lambda raw: (raw >= min_count).sum(axis=0), None, label="filter")
    return np.asarray(np.concatenate(n_enough) >= min_samples)


def _smallest_group(
    adata: AnnData,
    groupby: str | None,
    design: str | None,
    *,
    large_n: float,
    min_prop: float,
) -> tuple[Int, float]:
    """Observations used, and in how many of them a gene must be expressed."""
    obs = obs_of(adata)
    groups: Int | Float
    if design is not None:
        built = Design.from_obs(obs, design)
        rows, groups = np.flatnonzero(built.kept), built.matrix
    elif groupby is not None:
        found = Groups.from_obs(obs, groupby)
        rows, groups = np.flatnonzero(found.kept), found.codes[found.kept]
    else:
        rows, groups = np.arange(adata.n_obs), np.zeros(adata.n_obs, dtype=np.intp)
    return rows, min_sample_size(groups, large_n=large_n, min_prop=min_prop)
