"""Tested gene sets as a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dex.io._tables import write_table

if TYPE_CHECKING:
    from pathlib import Path

    from anndata import AnnData


def write_enrichment(
    adata: AnnData, path: str | Path, *, key: str = "enrich", **options: Any
) -> None:
    """Write the table of tested gene sets as text, whole or not at all.

    Parameters
    ----------
    adata
        AnnData after :func:`dex.tl.enrich`.
    path
        File to write: ``.csv``, ``.tsv`` or ``.txt``, each also with ``.gz``.
    key
        Where the table is.
    **options
        Which rows: ``contrast``, ``padj``, ``direction``, ``representative`` and
        ``gene_symbols``, as :func:`dex.get.enrich_df` takes them.

    Raises
    ------
    dex.errors.InputError
        If there is no such table, or the suffix or the folder is not one that can be written.

    Examples
    --------
    >>> import dex, pathlib, tempfile
    >>> adata = dex.datasets.simulate_counts(n_genes=50, n_per_group=4, seed=0)
    >>> dex.tl.rank_genes(adata, groupby="condition")
    >>> dex.tl.enrich(adata, {"first": adata.var_names[:20]})
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "sets.csv"
    >>> dex.io.write_enrichment(adata, path)
    >>> path.read_text().splitlines()[0][:24]
    'contrast,gene_set,method'
    """
    from dex.get import enrich_df

    write_table(enrich_df(adata, key=key, **options), path)
