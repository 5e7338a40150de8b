"""A map of samples by their leading log2 fold changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from scipy.spatial.distance import squareform

from dex._logging import logger
from dex.data.threads import map_threads
from dex.errors import InputError
from dex.get._ordination import OrdinationKeys
from dex.results.actual import check_writable, make_actual
from dex.stats.leading_fold_change import (
    ClassicalScaling,
    classical_scaling,
    common_distances,
    leading_distances_from,
)
from dex.stats.principal_components import most_variable
from dex.tl._pca import (
    check_map_key,
    check_number,
    expression_params,
    gene_values,
    log_expression,
)

if TYPE_CHECKING:
    from anndata import AnnData
    from numpy.typing import ArrayLike

    from dex.typing import Float

_MADE_BY = "dex.tl.mds"
_MOST_OBSERVATIONS = 2000
GeneSelection = Literal["pairwise", "common"]


def mds(
    adata: AnnData,
    *,
    layer: str | None = None,
    scale: str | None = None,
    size_factors: str = "auto",
    n_comps: int = 2,
    n_top_genes: int = 500,
    gene_selection: GeneSelection = "pairwise",
    mask_var: str | ArrayLike | None = None,
    key_added: str = "mds",
    n_threads: int | None = None,
) -> None:
    """Map samples so that distances are their leading log2 fold changes, as limma's ``plotMDS``.

    The distance of two samples is the root mean square of their largest log2 fold changes: a
    typical one, of the genes that tell these two apart. The map is classical scaling of the
    distances [Ritchie2015]_.

    Parameters
    ----------
    adata
        Samples x genes: counts or logs in ``X`` or in a layer; at most 2,000 samples.
    layer
        Layer to read; by default ``X``. Counts are normalised on the way, as
        :func:`dex.tl.rank_genes` does.
    scale, size_factors
        What the values are, where that is not recorded and they do not show it, and what counts
        are divided by: as for :func:`dex.tl.rank_genes`.
    n_comps
        Dimensions of the map.
    n_top_genes
        Genes for each distance.
    gene_selection
        ``"pairwise"`` takes the genes that differ most between the two samples; ``"common"`` takes
        those of the largest variance over all samples for all pairs, which is then much like
        :func:`dex.tl.pca`.
    mask_var
        Genes to choose from: a boolean column of ``adata.var``, or a boolean array.
    key_added
        Where the result goes: what lies there is replaced.
    n_threads
        Threads; by default the cores that the process may use.

    Returns
    -------
    None. Writes, with ``key`` for ``key_added``:

    ``adata.obsm[f"X_{key}"]``
        Coordinates in log2, ``(n_obs, n_comps)``. The largest of each dimension is positive.
    ``adata.obsp[f"{key}_distances"]``
        Distances in log2, ``(n_obs, n_obs)``.
    ``adata.uns[key]``
        ``variance_ratio`` of all ``n_obs`` dimensions, ``params``.

    Raises
    ------
    dex.errors.InputError
        If a layer, option or value cannot be used as asked, if there are fewer than 3 or more than
        2,000 observations, or if all are the same; ``adata`` is then unchanged.

    See Also
    --------
    dex.pl.mds, dex.pl.sample_distances

    References
    ----------
    .. [Ritchie2015] Ritchie et al. (2015), Nucleic Acids Research 43:e47.

    Examples
    --------
    >>> import dex
    >>> adata = dex.datasets.simulate_counts(n_genes=200, n_per_group=4, seed=1)
    >>> dex.tl.mds(adata)
    >>> adata.obsm["X_mds"].shape, adata.obsp["mds_distances"].shape
    ((8, 2), (8, 8))
    """
    check_writable(adata)
    keys = OrdinationKeys.mds(key_added)
    check_map_key(adata, keys, made_by=_MADE_BY)
    check_number("n_top_genes", n_top_genes)
    _check(adata.n_obs, n_comps, gene_selection)
    expression = log_expression(
        adata,
        mask_var,
        layer=layer,
        scale=scale,
        size_factors=size_factors,
        n_threads=n_threads,
    )
    if not expression.scale.is_log:
        msg = (
            f"{expression.source.where} holds {expression.source.scale.words}, whose differences "
            "are not fold changes; give counts or logs."
        )
        raise InputError(msg)
    values = gene_values(expression, expression.blocks.genes, n_threads)
    values *= expression.scale.log2_per_unit
    distances = _distances(values, n_top_genes, gene_selection, n_threads)
    if not distances.any():
        msg = (
            f"all observations are the same in {expression.source.where}; there is nothing to map."
        )
        raise InputError(msg)
    for note in expression.notes:
        logger.info(note)
    params = {
        "made_by": _MADE_BY,
        **expression_params(expression),
        "n_top_genes": min(n_top_genes, values.shape[1]),
        "gene_selection": gene_selection,
    }
    _store(adata, keys, distances, classical_scaling(distances, n_comps), params)


def _check(n_obs: int, n_comps: int, gene_selection: str) -> None:
    if not 3 <= n_obs <= _MOST_OBSERVATIONS:
        too_many = n_obs > _MOST_OBSERVATIONS
        advice = "dex.tl.pca maps as many as there are" if too_many else "there is nothing to map"
        msg = f"mds is for 3 to {_MOST_OBSERVATIONS:,} observations, of {n_obs:,} {advice}."
        raise InputError(msg)
    if gene_selection not in {"pairwise", "common"}:
        msg = f"gene_selection={gene_selection!r} is not known; it is 'pairwise' or 'common'."
        raise InputError(msg)
    check_number("n_comps", n_comps)
    if n_comps >= n_obs:
        msg = (
            f"n_comps={n_comps}: a map of {n_obs} observations has at most {n_obs - 1} dimensions."
        )
        raise InputError(msg)


def _distances(
    values: Float, n_top: int, gene_selection: GeneSelection, n_threads: int | None
) -> Float:
    if gene_selection == "common":
        return common_distances(values[:, most_variable(values.var(axis=0), n_top)])
    values = np.ascontiguousarray(values)
    rows = map_threads(
        lambda i: leading_distances_from(values, i, n_top),
        range(len(values) - 1),
        n_threads=n_threads,
        label="distances",
    )
    return squareform(np.concatenate(rows))


def _store(
    adata: AnnData,
    keys: OrdinationKeys,
    distances: Float,
    scaling: ClassicalScaling,
    params: dict[str, Any],
) -> None:
    make_actual(adata)
    adata.obsm[keys.coordinates] = scaling.points
    adata.obsp[keys.distances] = distances
    adata.uns[keys.info] = {
        "variance_ratio": scaling.variance_ratio,
        "params": {name: value for name, value in params.items() if value is not None},
    }
