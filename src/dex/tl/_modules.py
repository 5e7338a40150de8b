"""Modules of genes that rise and fall together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from dex._logging import logger
from dex.data.threads import SERIAL_BLAS, map_threads
from dex.design.wording import plural
from dex.errors import InputError
from dex.results.actual import check_writable
from dex.stats.coexpression import (
    Eigengenes,
    adjacency,
    connectivity,
    eigengenes,
    gene_tree,
    lowest_join,
    members_of,
    standardised,
    tree_modules,
)
from dex.stats.one_cluster import permuted_columns
from dex.tl._learning import check_count, spread
from dex.tl._learning_store import check_place, write
from dex.tl._pca import (
    check_number,
    expression_params,
    gene_values,
    log_expression,
    variable_genes,
)

if TYPE_CHECKING:
    from anndata import AnnData
    from numpy.typing import ArrayLike

    from dex.typing import Float, Int

_MADE_BY = "dex.tl.modules"
_FEWEST_OBSERVATIONS = 6
_MOST_GENES = 10_000
_ALPHA = 0.001
"""Largest p-value of a gene's membership: what has only joined its branch late is no member."""


def modules(
    adata: AnnData,
    *,
    layer: str | None = None,
    scale: str | None = None,
    size_factors: str = "auto",
    n_top_genes: int | None = 2000,
    mask_var: str | ArrayLike | None = None,
    correlation: Literal["pearson", "spearman"] = "pearson",
    power: float = 6.0,
    min_size: int = 10,
    merge: float = 0.75,
    n_null: int = 19,
    seed: int = 0,
    key_added: str = "modules",
    n_threads: int | None = None,
) -> None:
    """Find modules of co-expressed genes, as many as there are, none if there are none.

    Genes are nodes of a signed network, whose edges ``((1 + r) / 2) ** power`` join those that
    rise and fall together [Zhang2005]_. Modules are branches of its tree that join lower than any
    of ``min_size`` genes does in ``n_null`` networks of genes that were permuted, each by itself:
    with the default of 19, a module is found where there is none in 5% of the data sets.
    Genes of a branch that do not correlate with its eigengene at p = 0.001 are in no module.

    Parameters
    ----------
    adata
        Observations (samples or cells) x genes: counts or logs in ``X`` or in a layer.
    layer
        Layer to read; by default ``X``. Counts are normalised on the way, as
        :func:`dex.tl.rank_genes` does.
    scale, size_factors
        What the values are, where that is not recorded and they do not show it, and what counts
        are divided by: as for :func:`dex.tl.rank_genes`.
    n_top_genes
        Genes of the largest variance to use, at most 10,000; None for all.
    mask_var
        Genes to choose from: a boolean column of ``adata.var``, or a boolean array.
    correlation
        ``"pearson"``, or ``"spearman"``, of ranks, on which no single observation weighs much.
    power
        Of the soft threshold: the higher, the less weak correlations count.
    min_size
        Genes of a module at least.
    merge
        Correlation of the eigengenes from which two modules are one.
    n_null
        Networks of permuted genes.
    seed
        The same seed gives the same modules, with any number of threads.
    key_added
        Where the result goes; an earlier one there is replaced.
    n_threads
        Threads; by default the cores that the process may use.

    Returns
    -------
    None. Writes, with ``key`` for ``key_added``:

    ``adata.var[f"{key}_module"]``
        Categorical, ``"M1"`` being the largest; missing for genes in none.
    ``adata.obsm[f"{key}_eigengenes"]``
        Of every module and observation, ``(n_obs, n_modules)``: the first principal component of
        the standardised genes, with mean 0 and standard deviation 1, high where they are.
    ``adata.varm[f"{key}_membership"]``
        Correlation of the genes with the eigengenes, ``(n_vars, n_modules)``.
    ``adata.var[f"{key}_connectivity"]``
        Sum of the edges of a gene to the others of its module: hubs have most.
    ``adata.uns[key]``
        ``modules`` (names), ``sizes``, ``explained`` (shares of variance), ``height``, ``params``.

    :func:`dex.get.modules_df` and :func:`dex.get.eigengenes_df` make tables of it.

    Raises
    ------
    dex.errors.InputError
        If a layer, option or value cannot be used as asked, or if there are fewer than 6
        observations; ``adata`` is then unchanged.

    See Also
    --------
    dex.pl.modules, dex.tl.cluster

    Notes
    -----
    Samples of different groups make a module of the genes that differ between them. A batch does
    so too: take it out before, by :func:`dex.pp.remove_batch_effect`.

    References
    ----------
    .. [Zhang2005] Zhang and Horvath (2005), Statistical Applications in Genetics and Molecular
       Biology 4:17.

    Examples
    --------
    >>> import dex
    >>> adata = dex.datasets.simulate_counts(300, 10, log2fc_sd=2, de_fraction=0.3, seed=1)
    >>> dex.tl.modules(adata)
    >>> adata.uns["modules"]["modules"].tolist()
    ['M1', 'M2']
    >>> dex.tl.modules(dex.datasets.simulate_counts(300, 10, de_fraction=0, seed=1))
    """
    check_writable(adata)
    check_place(adata, key_added, made_by=_MADE_BY)
    check_number("n_top_genes", n_top_genes)
    check_count("min_size", min_size, 3)
    check_count("n_null", n_null, 1)
    _check(adata.n_obs, correlation, power, merge)
    expression = log_expression(
        adata, mask_var, layer=layer, scale=scale, size_factors=size_factors, n_threads=n_threads
    )
    chosen, _ = variable_genes(expression, n_top_genes, n_threads)
    if len(chosen) > _MOST_GENES:
        msg = f"a network of {len(chosen):,} genes is too large; n_top_genes= takes up to 10,000."
        raise InputError(msg)
    unit = standardised(gene_values(expression, chosen, n_threads), ranks=correlation == "spearman")
    height = _null_height(
        unit, power, min_size=min_size, n_null=n_null, seed=seed, n_threads=n_threads
    )
    with SERIAL_BLAS:
        network = adjacency(unit, power)
        tree = gene_tree(network)
        branches = tree_modules(tree, unit, height=height, min_size=min_size, merge=merge)
        labels = members_of(unit, branches, alpha=_ALPHA, min_size=min_size)
        found = eigengenes(unit, labels)
    for note in expression.notes:
        logger.info(note)
    n_modules = len(found.explained)
    logger.info(
        "%s of co-expressed genes; %s in none.",
        plural(n_modules, "module"),
        plural(int((labels < 0).sum()), "gene"),
    )
    params = {
        **expression_params(expression),
        "n_genes": len(chosen),
        "correlation": correlation,
        "power": power,
        "min_size": min_size,
        "merge": merge,
        "n_null": n_null,
        "seed": seed,
    }
    entry = {
        "made_by": _MADE_BY,
        "height": height,
        "params": {name: value for name, value in params.items() if value is not None},
    }
    _store(adata, key_added, entry, found, labels, unit=unit, network=network, genes=chosen)


def _check(n_obs: int, correlation: str, power: float, merge: float) -> None:
    if correlation not in {"pearson", "spearman"}:
        msg = f"correlation={correlation!r} is not known; it is 'pearson' or 'spearman'."
        raise InputError(msg)
    if not 0 < merge <= 1:
        msg = f"merge={merge!r} is no correlation above 0 and up to 1."
        raise InputError(msg)
    if not 1 <= power <= 50:
        msg = f"power={power!r} is not between 1 and 50."
        raise InputError(msg)
    if n_obs < _FEWEST_OBSERVATIONS:
        msg = (
            f"{n_obs} observations are too few for correlations of genes; "
            f"{_FEWEST_OBSERVATIONS} are needed."
        )
        raise InputError(msg)


def _null_height(
    unit: Float, power: float, *, min_size: int, n_null: int, seed: int, n_threads: int | None
) -> float:
    """Just below the lowest branch of ``min_size`` genes in networks of permuted ones."""

    def lowest(rng: np.random.Generator) -> float:
        return lowest_join(gene_tree(adjacency(permuted_columns(unit, rng=rng), power)), min_size)

    streams = np.random.default_rng(seed).spawn(n_null)
    heights = map_threads(lowest, streams, n_threads=n_threads, label="permuted genes")
    return float(np.nextafter(min(heights), 0.0))


def _store(
    adata: AnnData,
    key: str,
    entry: dict[str, Any],
    found: Eigengenes,
    labels: Int,
    *,
    unit: Float,
    network: Float,
    genes: Int,
) -> None:
    n_modules = len(found.explained)
    names = [f"M{i + 1}" for i in range(n_modules)]
    codes = np.full(adata.n_vars, -1, dtype=np.intp)
    codes[genes] = labels
    membership = unit.T @ (found.scores / np.sqrt(len(unit)))
    write(
        adata,
        key,
        {
            **entry,
            "modules": np.array(names, dtype=object),
            "sizes": np.bincount(labels[labels >= 0], minlength=n_modules).astype(np.int64),
            "explained": found.explained,
        },
        obs={},
        var={
            "module": pd.Categorical.from_codes(codes, pd.Index(names, dtype=object)),
            "connectivity": spread(connectivity(network, labels), genes, adata.n_vars),
        },
        obsm={"eigengenes": found.scores} if n_modules else {},
        varm={"membership": spread(membership, genes, adata.n_vars)} if n_modules else {},
    )
