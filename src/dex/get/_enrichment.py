"""Tables of gene sets that were tested."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from dex.errors import InputError
from dex.get._symbols import gene_labels
from dex.results.enrichment import read_enrichment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from anndata import AnnData

_SEPARATOR = ";"


def enrich_df(
    adata: AnnData,
    contrast: str | Sequence[str] | None = None,
    *,
    key: str = "enrich",
    padj: float | None = None,
    direction: str = "both",
    representative: bool = False,
    gene_symbols: str | None = None,
) -> pd.DataFrame:
    """Table of tested gene sets, the best of each contrast first.

    Parameters
    ----------
    adata
        AnnData after :func:`dex.tl.enrich`.
    contrast
        One or several of the contrasts; all by default.
    key
        Where the table is.
    padj
        Keep sets with an adjusted p-value of at most this.
    direction
        ``"up"``, ``"down"`` or ``"both"``.
    representative
        Keep only sets that stand for themselves, no better set overlapping with them.
    gene_symbols
        Column of ``var`` to name the leading edge by; by default the names that the sets use.

    Returns
    -------
    pandas.DataFrame
        One row per contrast and set (and per direction, for ora), with the columns

        ``contrast, gene_set, method``
            The test of the result, the set, and how it was tested.
        ``direction``
            ``"up"``, ``"down"``, or ``"any"`` where genes were chosen without regard to it.
        ``n_genes, n_given``
            Genes of the set that were found and tested, and those it was given with.
        ``score``
            Statistic, positive for up: t of camera, fry and ulm, z of roast, the enrichment score
            of gsea; of ora the fold enrichment.
        ``nes, log2err``
            Of gsea: normalised enrichment score, and the expected error of log2 p.
        ``pval, padj, log10_pval, log10_padj``
            Two-sided p (of ora, of its direction), adjusted over all sets tested in the contrast;
            the logs are right also where p underflows.
        ``correlation``
            Of camera: between the set's genes, over samples.
        ``n_overlap``
            Of ora: genes of the set among those chosen.
        ``pval_mixed, padj_mixed, log10_pval_mixed, log10_padj_mixed``
            Of fry and roast: any change, in whatever direction.
        ``representative``
            The best set of the contrast and direction that this one overlaps with; its own name
            where it stands for itself.
        ``leading_edge``
            Genes that carry the result, the strongest first, separated by semicolons.

        Columns that the method does not have are not there.

    Raises
    ------
    InputError
        If there is no such table, or no such contrast.

    Examples
    --------
    >>> import dex
    >>> adata = dex.datasets.simulate_counts(n_genes=200, n_per_group=4, seed=1)
    >>> dex.tl.rank_genes(adata, groupby="condition")
    >>> sets = {"first": adata.var_names[:20], "next": adata.var_names[20:60]}
    >>> dex.tl.enrich(adata, sets)
    >>> dex.get.enrich_df(adata)["gene_set"].tolist()
    ['first', 'next']
    """
    if direction not in {"up", "down", "both"}:
        msg = f"direction={direction!r} is not known; it is 'up', 'down' or 'both'."
        raise InputError(msg)
    found = read_enrichment(adata, key)
    frame: pd.DataFrame = pd.DataFrame(
        {name: _plain(values) for name, values in found.table.items()}
    )
    frame = frame.loc[_of_contrasts(frame, contrast, found.params)]
    if padj is not None:
        frame = frame.loc[frame["padj"] <= padj]
    if direction != "both":
        frame = frame.loc[frame["direction"] == direction]
    if representative:
        frame = frame.loc[frame["representative"] == frame["gene_set"]]
    if "leading_edge" in frame:
        names = _names_of(adata, gene_symbols or found.params.get("gene_symbols"))
        frame = frame.assign(leading_edge=[_renamed(text, names) for text in frame["leading_edge"]])
    return frame.reset_index(drop=True)


def gene_sets(
    adata: AnnData, names: str | Sequence[str] | None = None, *, key: str = "enrich"
) -> dict[str, list[str]]:
    """Sets that were tested, as ``var_names`` of the genes that were found.

    Parameters
    ----------
    adata
        AnnData after :func:`dex.tl.enrich`.
    names
        One or several sets; all by default.
    key
        Where the table is.

    Raises
    ------
    InputError
        If there is no such table, or no such set.

    Examples
    --------
    >>> import dex
    >>> adata = dex.datasets.simulate_counts(n_genes=50, n_per_group=4, seed=1)
    >>> dex.tl.rank_genes(adata, groupby="condition")
    >>> dex.tl.enrich(adata, {"first": adata.var_names[:20]}, method="ora")
    >>> dex.get.gene_sets(adata)["first"][:2]
    ['gene0001', 'gene0002']
    """
    sets = read_enrichment(adata, key).sets
    every = dict(zip(sets.names, map(list, sets.genes), strict=True))
    wanted = list(every) if names is None else [names] if isinstance(names, str) else list(names)
    if missing := [name for name in wanted if name not in every]:
        msg = f"{missing[0]!r} is none of the {len(every)} gene sets tested under {key!r}."
        raise InputError(msg)
    return {name: every[name] for name in wanted}


def enrich_params(adata: AnnData, *, key: str = "enrich") -> dict[str, Any]:
    """Return how gene sets were tested: method, null hypothesis, transform, universe, ...

    Parameters
    ----------
    adata
        AnnData after :func:`dex.tl.enrich`.
    key
        Where the table is.

    Examples
    --------
    >>> import dex
    >>> adata = dex.datasets.simulate_counts(n_genes=50, n_per_group=4, seed=1)
    >>> dex.tl.rank_genes(adata, groupby="condition")
    >>> dex.tl.enrich(adata, {"first": adata.var_names[:20]})
    >>> dex.get.enrich_params(adata)["null"]
    'competitive, over samples'
    """
    return read_enrichment(adata, key).params


def _of_contrasts(frame: pd.DataFrame, contrast: Any, params: dict[str, Any]) -> Any:
    if contrast is None:
        return np.ones(len(frame), dtype=bool)
    asked = [contrast] if isinstance(contrast, str) else list(contrast)
    have = [str(name) for name in params["contrasts"]]
    if missing := [name for name in asked if name not in have]:
        shown = ", ".join(map(repr, have[:10]))
        msg = f"contrast={missing[0]!r} was not tested; there is {shown}."
        raise InputError(msg)
    return frame["contrast"].isin(asked).to_numpy()


def _names_of(adata: AnnData, column: str | None) -> Mapping[str, str] | None:
    if column is None or column not in adata.var:
        return None
    return dict(zip(map(str, adata.var_names), gene_labels(adata, column), strict=True))


def _renamed(text: str, names: Mapping[str, str] | None) -> str:
    if names is None or not text:
        return text
    return _SEPARATOR.join(names.get(gene, gene) for gene in text.split(_SEPARATOR))


def _plain(values: Any) -> Any:
    return [str(value) for value in values] if values.dtype.kind in "OUST" else values
