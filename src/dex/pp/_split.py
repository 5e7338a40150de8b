"""Counts divided into two sets: one to look for groups in, one to test them on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import sparse

from dex._logging import logger
from dex.data import Scale
from dex.data.layers import Layer, check_layer, write_layer
from dex.data.source import var_of
from dex.errors import InputError
from dex.pp._counts import find_source
from dex.results.actual import make_actual
from dex.stats.thinning import thinned

if TYPE_CHECKING:
    from anndata import AnnData

    from dex.typing import Float


def split_counts(
    adata: AnnData,
    fraction: float = 0.5,
    *,
    dispersion: str | float | None = None,
    layer: str | None = None,
    seed: int = 0,
    key_added: str = "split",
) -> None:
    """Divide counts at random into two layers: cluster one, and test the clusters on the other.

    Genes that differ between clusters of the same counts have been chosen to (double dipping).
    Every count is divided instead: what one part has by chance, the other does not
    [Neufeld2024]_.

    Parameters
    ----------
    adata
        Observations x genes: counts in ``X`` or in a layer, in memory.
    fraction
        Expected share of the first part.
    dispersion
        None if counts of like observations are Poisson, as those of droplets nearly are. Else
        their dispersion, the variance being ``mu + dispersion * mu**2``: a number, or a numeric
        column of ``adata.var``. Without it the parts of overdispersed counts are correlated, and
        p-values still too small.
    layer
        Layer with the counts; by default ``X``, or the layer ``"counts"``.
    seed
        The same seed gives the same parts.
    key_added
        Names of the layers begin with it.

    Returns
    -------
    None. Writes the layers ``f"{key_added}_train"`` and ``f"{key_added}_test"``, which add up to
    the counts, and their records in ``adata.uns["dex_layers"]``.

    Raises
    ------
    dex.errors.InputError
        If there are no whole counts, or an option or layer cannot be used; ``adata`` is then
        unchanged.

    References
    ----------
    .. [Neufeld2024] Neufeld et al. (2024), Biostatistics 25:270.

    Examples
    --------
    >>> import dex
    >>> adata = dex.datasets.simulate_counts(
    ...     200, 2, cells_per_replicate=60, mean_count=2, dispersion=0, extra_dispersion=0
    ... )
    >>> dex.pp.split_counts(adata)
    >>> dex.tl.cluster(adata, 2, method="kmeans", layer="split_train")
    >>> dex.tl.rank_genes(adata, "cluster", layer="split_test", replicate=None)
    """
    if not 0 < fraction < 1:
        msg = f"fraction={fraction!r} is not between 0 and 1."
        raise InputError(msg)
    if adata.isbacked:
        msg = "adata is backed by a file, and layers are made in memory: use adata.to_memory()."
        raise InputError(msg)
    source = find_source(adata, need="counts are what can be split", layer=layer)
    names = (f"{key_added}_train", f"{key_added}_test")
    for name in names:
        check_layer(adata, name, source=source.layer)
    spread = _dispersions(adata, dispersion)
    parts = _parts(source.matrix, fraction, spread, np.random.default_rng(seed))
    where = "X" if source.layer is None else source.layer
    how: dict[str, str | float] = {"split": key_added, "fraction": fraction, "seed": seed}
    made = [
        Layer(name, part, Scale.COUNTS, 1.0, "split_counts", where, params=how)
        for name, part in zip(names, parts, strict=True)
    ]
    make_actual(adata)
    for one in made:
        write_layer(adata, one)
    logger.info("%s is split into layers[%r] and layers[%r].", source.where, *names)


def _dispersions(adata: AnnData, dispersion: str | float | None) -> Float | None:
    """One for each gene, ``(n_vars,)``; None if there is none."""
    if dispersion is None:
        return None
    if not isinstance(dispersion, str):
        values = np.full(adata.n_vars, float(dispersion))
    else:
        var = var_of(adata)
        if dispersion not in var or not pd.api.types.is_numeric_dtype(var[dispersion]):
            msg = f"dispersion={dispersion!r} is no numeric column of adata.var."
            raise InputError(msg)
        values = var[dispersion].to_numpy(dtype=np.float64)
    if not ((values >= 0) & np.isfinite(values)).all():
        msg = (
            f"dispersion={dispersion!r} is negative, missing or infinite for some genes; give 0 or "
            "more."
        )
        raise InputError(msg)
    return values


def _parts(
    matrix: Any, fraction: float, dispersion: Float | None, rng: np.random.Generator
) -> tuple[Any, Any]:
    """Both parts, CSR if the matrix is sparse; counts are taken row by row, the zeros left out."""
    is_sparse = sparse.issparse(matrix)
    counts = sparse.csr_matrix(matrix, dtype=np.float64, copy=True)
    counts.sum_duplicates()
    counts.eliminate_zeros()
    if (counts.data != np.floor(counts.data)).any() or (counts.data < 0).any():
        msg = "some counts are negative or not whole, and cannot be split; round them first."
        raise InputError(msg)
    of_each = None if dispersion is None else dispersion[counts.indices]
    first = counts.copy()
    first.data = thinned(counts.data, fraction, of_each, rng=rng)
    parts = (first, counts - first)
    for part in parts:
        part.eliminate_zeros()
    return parts if is_sparse else (parts[0].toarray(), parts[1].toarray())
