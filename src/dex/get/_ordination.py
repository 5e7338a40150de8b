"""Maps of observations: their coordinates, loadings and distances."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from dex.errors import InputError
from dex.get._symbols import gene_labels

if TYPE_CHECKING:
    from collections.abc import Sequence

    from anndata import AnnData

    from dex.typing import Float


@dataclass(frozen=True, slots=True)
class OrdinationKeys:
    """Where a map is in an AnnData."""

    coordinates: str
    """In ``obsm``."""
    info: str
    """In ``uns``."""
    loadings: str = ""
    """In ``varm``."""
    distances: str = ""
    """In ``obsp``."""

    @classmethod
    def pca(cls, key: str) -> OrdinationKeys:
        """Return scanpy's places, of ``sc.pp.pca(adata, key_added=key)``; its own are "pca"."""
        if key == "pca":
            return cls("X_pca", "pca", loadings="PCs")
        return cls(key, key, loadings=key)

    @classmethod
    def mds(cls, key: str) -> OrdinationKeys:
        """Return the places of :func:`dex.tl.mds`."""
        return cls(f"X_{key}", key, distances=f"{key}_distances")


@dataclass(frozen=True, slots=True)
class Ordination:
    """A map of the observations."""

    coordinates: Float
    """Shape ``(n_obs, n_comps)``."""
    variance_ratio: Float | None
    """Of each component, shape ``(n_comps,)``; None where it is not known."""
    loadings: Float | None
    """Shape ``(n_vars, n_comps)``; None of a map that has none."""
    params: dict[str, Any]
    """What was asked for, and decided."""

    @classmethod
    def pca(cls, adata: AnnData, key: str) -> Ordination:
        """Read principal components, also those of scanpy.

        Raises
        ------
        InputError
            If there are none.
        """
        keys = OrdinationKeys.pca(key)
        return cls._from_adata(adata, keys, advice=f"dex.tl.pca(adata{_option(key, 'pca')})")

    @classmethod
    def mds(cls, adata: AnnData, key: str) -> Ordination:
        """Read a map by leading fold changes.

        Raises
        ------
        InputError
            If there is none.
        """
        keys = OrdinationKeys.mds(key)
        return cls._from_adata(adata, keys, advice=f"dex.tl.mds(adata{_option(key, 'mds')})")

    @classmethod
    def _from_adata(cls, adata: AnnData, keys: OrdinationKeys, *, advice: str) -> Ordination:
        if keys.coordinates not in adata.obsm:
            msg = f"there is no adata.obsm[{keys.coordinates!r}]; run {advice} first."
            raise InputError(msg)
        coordinates = np.asarray(adata.obsm[keys.coordinates], dtype=np.float64)
        info = adata.uns.get(keys.info, {})
        ratio = info.get("variance_ratio")
        n_comps = coordinates.shape[1]
        return cls(
            coordinates,
            None if ratio is None else np.asarray(ratio, dtype=np.float64)[:n_comps],
            np.asarray(adata.varm[keys.loadings]) if keys.loadings in adata.varm else None,
            dict(info.get("params", {})),
        )


def pca_df(adata: AnnData, *, key: str = "pca") -> pd.DataFrame:
    """Coordinates of the observations on the principal components.

    Parameters
    ----------
    adata
        AnnData after :func:`dex.tl.pca`, or scanpy's.
    key
        Where they are.

    Returns
    -------
    pandas.DataFrame
        Columns ``PC1``, ``PC2``, ..., a row per observation.

    Raises
    ------
    InputError
        If there are none.

    Examples
    --------
    >>> import dex
    >>> adata = dex.datasets.simulate_counts(n_genes=200, seed=1)
    >>> dex.tl.pca(adata)
    >>> dex.get.pca_df(adata).columns.tolist()
    ['PC1', 'PC2', 'PC3', 'PC4', 'PC5']
    """
    return _coordinates_df(adata, Ordination.pca(adata, key), "PC")


def mds_df(adata: AnnData, *, key: str = "mds") -> pd.DataFrame:
    """Coordinates of the observations on the map of :func:`dex.tl.mds`.

    Parameters
    ----------
    adata
        AnnData after :func:`dex.tl.mds`.
    key
        Where they are.

    Returns
    -------
    pandas.DataFrame
        Columns ``dim1``, ``dim2``, ... in log2, a row per observation.

    Raises
    ------
    InputError
        If there are none.

    Examples
    --------
    >>> import dex
    >>> adata = dex.datasets.simulate_counts(n_genes=100, n_per_group=4, seed=1)
    >>> dex.tl.mds(adata)
    >>> dex.get.mds_df(adata).shape
    (8, 2)
    """
    return _coordinates_df(adata, Ordination.mds(adata, key), "dim")


def distances_df(adata: AnnData, *, key: str = "mds") -> pd.DataFrame:
    """Distances between all observations, as :func:`dex.tl.mds` leaves them.

    Parameters
    ----------
    adata
        AnnData after :func:`dex.tl.mds`.
    key
        Where they are.

    Returns
    -------
    pandas.DataFrame
        Symmetric, shape ``(n_obs, n_obs)``, in log2.

    Raises
    ------
    InputError
        If there are none.

    Examples
    --------
    >>> import dex
    >>> adata = dex.datasets.simulate_counts(n_genes=100, n_per_group=4, seed=1)
    >>> dex.tl.mds(adata)
    >>> distances = dex.get.distances_df(adata)
    >>> float(distances.loc["control_1", "control_1"])
    0.0
    """
    name = OrdinationKeys.mds(key).distances
    if name not in adata.obsp:
        msg = f"there is no adata.obsp[{name!r}]; run dex.tl.mds(adata{_option(key, 'mds')}) first."
        raise InputError(msg)
    return pd.DataFrame(
        np.asarray(adata.obsp[name]), index=adata.obs_names, columns=adata.obs_names
    )


def loadings_df(
    adata: AnnData,
    components: int | Sequence[int] | None = None,
    *,
    key: str = "pca",
    n_genes: int | None = None,
    gene_symbols: str | None = None,
) -> pd.DataFrame:
    """Genes that a principal component is made of, the largest loadings first.

    Parameters
    ----------
    adata
        AnnData after :func:`dex.tl.pca`, or scanpy's.
    components
        One or several, counted from 1; all by default.
    key
        Where they are.
    n_genes
        Genes for each component; by default all that have a loading.
    gene_symbols
        Column of ``adata.var`` to show as ``gene``; ``var_names`` are then in ``gene_id``.

    Returns
    -------
    pandas.DataFrame
        Columns ``component`` (as ``"PC1"``), ``gene``, ``loading``.

    Raises
    ------
    InputError
        If there are no loadings, or no such component or column.

    Examples
    --------
    >>> import dex
    >>> adata = dex.datasets.simulate_counts(n_genes=200, seed=1)
    >>> dex.tl.pca(adata)
    >>> dex.get.loadings_df(adata, 1, n_genes=5)["component"].tolist()
    ['PC1', 'PC1', 'PC1', 'PC1', 'PC1']
    """
    loadings = Ordination.pca(adata, key).loadings
    if loadings is None:
        msg = f"there are no loadings in adata.varm[{OrdinationKeys.pca(key).loadings!r}]."
        raise InputError(msg)
    n_comps = loadings.shape[1]
    asked = range(1, n_comps + 1) if components is None else np.atleast_1d(components).tolist()
    labels = np.array(gene_labels(adata, gene_symbols), dtype=object)
    ids = None if gene_symbols is None else np.asarray(adata.var_names, dtype=object)
    frames = []
    for number in asked:
        check_component(number, n_comps)
        loading = loadings[:, number - 1]
        order = np.argsort(-np.abs(loading), kind="stable")
        order = order[: np.count_nonzero(loading)][:n_genes]
        columns = {"component": f"PC{number}", "gene": labels[order], "loading": loading[order]}
        frames.append(pd.DataFrame(columns | ({} if ids is None else {"gene_id": ids[order]})))
    return pd.concat(frames, ignore_index=True)


def check_component(number: object, n_comps: int) -> None:
    """Refuse what is not one of the components, which count from 1.

    Raises
    ------
    InputError
        If it is none.
    """
    if not isinstance(number, int | np.integer) or not 1 <= number <= n_comps:
        msg = f"component {number!r} is not there; there are {n_comps}, counted from 1."
        raise InputError(msg)


def _coordinates_df(adata: AnnData, ordination: Ordination, name: str) -> pd.DataFrame:
    columns = [f"{name}{i + 1}" for i in range(ordination.coordinates.shape[1])]
    return pd.DataFrame(ordination.coordinates, index=adata.obs_names, columns=columns)


def _option(key: str, default: str) -> str:
    return "" if key == default else f", key_added={key!r}"
