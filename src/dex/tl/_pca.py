"""Principal components of the most variable genes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from dex._logging import logger
from dex.data import Expression, Source
from dex.data.source import obs_of
from dex.errors import InputError
from dex.get._ordination import OrdinationKeys
from dex.results.actual import check_writable, make_actual
from dex.results.store import check_key
from dex.stats.moments import group_moments
from dex.stats.principal_components import PrincipalComponents, most_variable, principal_components
from dex.tl._genes import genes_tested

if TYPE_CHECKING:
    from anndata import AnnData
    from numpy.typing import ArrayLike

    from dex.data.expression import Columns, GeneBlock
    from dex.typing import Float, Int

_N_COMPS = {"samples": 10, "cells": 50}
_MADE_BY = "dex.tl.pca"


def pca(
    adata: AnnData,
    *,
    layer: str | None = None,
    scale: str | None = None,
    size_factors: str = "auto",
    n_comps: int | None = None,
    n_top_genes: int | None = 500,
    mask_var: str | ArrayLike | None = None,
    z_score: bool = False,
    key_added: str = "pca",
    n_threads: int | None = None,
) -> None:
    """Find the principal components of the log expression of the most variable genes.

    Genes are centred, and not scaled, so that those that vary most count most; as in DESeq2's
    ``plotPCA``. The results are where scanpy has them.

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
    n_comps
        Components to keep; by default 10 of samples and 50 of cells, as far as there are.
    n_top_genes
        Genes of the largest variance to use; None for all.
    mask_var
        Genes to choose from: a boolean column of ``adata.var``, or a boolean array.
    z_score
        Whether to divide each gene by its standard deviation, so that all count the same.
    key_added
        Where the result goes: what lies there is replaced.
    n_threads
        Threads; by default the cores that the process may use.

    Returns
    -------
    None. Writes

    ``adata.obsm["X_pca"]``
        Coordinates, ``(n_obs, n_comps)``. The largest loading of each component is positive.
    ``adata.varm["PCs"]``
        Loadings, ``(n_vars, n_comps)``; 0 for genes that are not used.
    ``adata.uns["pca"]``
        ``variance``, ``variance_ratio`` (of the variance of the genes used), ``params``.

    With another ``key_added`` all three are under that name, as with scanpy's.

    Raises
    ------
    dex.errors.InputError
        If a layer, option or value cannot be used as asked, or if no gene varies; ``adata`` is then
        unchanged.

    See Also
    --------
    dex.pl.pca, dex.get.loadings_df

    Examples
    --------
    >>> import dex
    >>> adata = dex.datasets.simulate_counts(n_genes=200, n_per_group=4, seed=1)
    >>> dex.tl.pca(adata)
    >>> adata.obsm["X_pca"].shape, adata.varm["PCs"].shape
    ((8, 7), (200, 7))
    """
    check_writable(adata)
    keys = OrdinationKeys.pca(key_added)
    check_map_key(adata, keys, made_by=_MADE_BY)
    check_number("n_comps", n_comps)
    check_number("n_top_genes", n_top_genes)
    expression = log_expression(
        adata,
        mask_var,
        layer=layer,
        scale=scale,
        size_factors=size_factors,
        n_threads=n_threads,
    )
    chosen, variance = variable_genes(expression, n_top_genes, n_threads)
    values = gene_values(expression, chosen, n_threads)
    if z_score:
        values /= np.sqrt(variance)
    wanted = _n_comps(n_comps, expression.source.unit, values.shape)
    found = principal_components(values, wanted, overwrite=True)
    for note in expression.notes:
        logger.info(note)
    params = {
        "made_by": _MADE_BY,
        "zero_center": True,
        "use_highly_variable": False,
        **expression_params(expression),
        "n_genes": len(chosen),
        "n_top_genes": n_top_genes,
        "z_score": z_score,
    }
    _store(adata, keys, found, chosen, params)


def log_expression(
    adata: AnnData,
    mask_var: str | ArrayLike | None,
    *,
    layer: str | None,
    scale: str | None,
    size_factors: str,
    n_threads: int | None,
) -> Expression:
    """All observations and the genes in the mask, on the scale on which genes are ranked."""
    genes = genes_tested(adata, mask_var)
    source = Source.from_adata(adata, layer=layer, scale=scale)
    return Expression.from_source(
        source,
        np.arange(adata.n_obs),
        genes,
        size_factors=size_factors,
        obs=obs_of(adata),
        n_threads=n_threads,
    )


def gene_values(expression: Expression, genes: Int, n_threads: int | None) -> Float:
    """Values of some genes at once, in an array of their own, shape ``(n_obs, n_genes)``."""
    chosen = replace(expression, blocks=replace(expression.blocks, genes=genes))

    def values(block: GeneBlock) -> Columns:
        return {"values": block.values.T}

    return chosen.map_blocks(values, n_threads=n_threads, label="values")["values"].T


def expression_params(expression: Expression) -> dict[str, Any]:
    """Which values were used, under the names that :func:`dex.get.params` has for them."""
    return {
        "layer": expression.source.layer,
        "source_scale": str(expression.source.scale),
        "scale": str(expression.scale),
        "unit": expression.source.unit,
    }


def check_number(name: str, value: int | None) -> None:
    """Refuse what is neither None nor a number of things.

    Raises
    ------
    InputError
        If it is none.
    """
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if value is not None and not (whole and value >= 1):
        msg = f"{name}={value!r} is not a number of at least 1."
        raise InputError(msg)


def check_map_key(adata: AnnData, keys: OrdinationKeys, *, made_by: str) -> None:
    """Refuse a key that h5ad cannot hold, or under which something else lies.

    What ``made_by`` has left there may be replaced, and so may scanpy's principal components.

    Raises
    ------
    InputError
        If the key cannot be used.
    """
    check_key(keys.info)
    entry = adata.uns.get(keys.info)
    author = _author(entry)
    replaced = author == made_by or (author == "scanpy" and made_by == _MADE_BY)
    places = {
        f"uns[{keys.info!r}]": entry is not None,
        f"obsm[{keys.coordinates!r}]": keys.coordinates in adata.obsm and keys.info != "pca",
        f"varm[{keys.loadings!r}]": keys.loadings in adata.varm and keys.info != "pca",
        f"obsp[{keys.distances!r}]": keys.distances in adata.obsp,
    }
    taken = [place for place, there in places.items() if there]
    if taken and not replaced:
        msg = (
            f"key_added={keys.info!r}: adata.{taken[0]} holds something else; choose another name."
        )
        raise InputError(msg)


def _author(entry: Any) -> str:
    """Who has made a map: ``params["made_by"]``, else scanpy if it looks like its own."""
    if not isinstance(entry, dict) or "variance_ratio" not in entry:
        return ""
    return str(entry.get("params", {}).get("made_by", "scanpy"))


def variable_genes(
    expression: Expression, n: int | None, n_threads: int | None
) -> tuple[Int, Float]:
    """Positions of the genes of largest variance, and their variances.

    Raises
    ------
    InputError
        If no gene varies.
    """
    everybody = np.zeros(len(expression.rows), dtype=np.intp)

    def variances(block: GeneBlock) -> Columns:
        return {"variance": group_moments(block.values, everybody, 1).var[:, 0]}

    variance = expression.map_blocks(variances, n_threads=n_threads, label="variances")["variance"]
    best = most_variable(variance, n)
    if not len(best):
        msg = (
            f"none of {len(variance)} genes varies over {len(expression.rows)} observations in "
            f"{expression.source.where}; there are no principal components."
        )
        raise InputError(msg)
    return expression.blocks.genes[best], variance[best]


def _n_comps(asked: int | None, unit: str, shape: tuple[int, ...]) -> int:
    possible = min(shape[0] - 1, shape[1])
    if asked is None:
        return min(_N_COMPS[unit], possible)
    if asked > possible:
        msg = (
            f"n_comps={asked} is more than the {possible} that {shape[0]} observations and "
            f"{shape[1]} genes have."
        )
        raise InputError(msg)
    return asked


def _store(
    adata: AnnData,
    keys: OrdinationKeys,
    found: PrincipalComponents,
    genes: Int,
    params: dict[str, Any],
) -> None:
    if keys.coordinates in adata.obsm and _author(adata.uns.get(keys.info)) != _MADE_BY:
        logger.warning(
            "obsm[%r] was not made by dex and is replaced; another key_added= keeps both.",
            keys.coordinates,
        )
    loadings = np.zeros((adata.n_vars, found.loadings.shape[1]))
    loadings[genes] = found.loadings
    make_actual(adata)
    adata.obsm[keys.coordinates] = found.scores
    adata.varm[keys.loadings] = loadings
    adata.uns[keys.info] = {
        "variance": found.variance,
        "variance_ratio": found.variance_ratio,
        "params": {name: value for name, value in params.items() if value is not None},
    }
