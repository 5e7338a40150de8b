"""Ranked genes as a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dex.io._tables import write_table

if TYPE_CHECKING:
    from pathlib import Path

    from anndata import AnnData


def write_results(
    adata: AnnData, path: str | Path, *, key: str = "rank_genes", **options: Any
) -> None:
    """Write the tidy table of ranked genes as CSV or TSV, whole or not at all.

    Parameters
    ----------
    adata
        AnnData with a result of :func:`dex.tl.rank_genes`.
    path
        File to write; its suffix says how: ``.csv``, ``.tsv``, ``.txt``, each also with ``.gz``.
    key
        Where the result is.
    **options
        Which rows, and under what names: ``test``, ``padj``, ``log2fc``, ``direction`` and
        ``gene_symbols``, as :func:`dex.get.rank_genes_df` takes them.

    Raises
    ------
    dex.errors.InputError
        If there is no such result, or if the suffix or the folder is not one that can be written.

    Examples
    --------
    >>> import dex, pathlib, tempfile
    >>> adata = dex.datasets.simulate_counts(n_genes=50, seed=0)
    >>> dex.tl.rank_genes(adata, groupby="condition", method="t-test")
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "results.csv"
    >>> dex.io.write_results(adata, path)
    >>> path.read_text().splitlines()[0][:16]
    'gene,test,log2fc'
    """
    from dex.get import rank_genes_df

    write_table(rank_genes_df(adata, key=key, **options), path)
