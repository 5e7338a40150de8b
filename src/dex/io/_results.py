"""Ranked genes as a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from dex.io._tables import table_suffix, write_parquet, write_table

if TYPE_CHECKING:
    from pathlib import Path

    from anndata import AnnData


def write_results(
    adata: AnnData, path: str | Path, *, key: str = "rank_genes", **options: Any
) -> None:
    """Write the tidy table of ranked genes, whole or not at all.

    The suffix of ``path`` says how:

    - ``.csv``, and with tabs ``.tsv`` and ``.txt``; each also with ``.gz``. The same result is the
      same file, byte by byte.
    - ``.parquet``: the same table with ``test`` and ``status`` as categories; the file's metadata
      has under ``dex`` a JSON text with the key, the parameters and the tests. Needs pyarrow.
    - ``.xlsx``: a sheet per test, then ``tests`` (what was compared, and in which sheet it is),
      ``columns`` (what each column means, and what scanpy and R call it) and ``parameters``. Needs
      XlsxWriter: ``pip install "dex-de[excel]"``.

    In ``.xlsx`` gene names are text and stay what they are: ``MARCH1`` becomes no date, and
    ``=1+1`` no formula. Excel reads text files with its own eyes; there a gene or test that
    begins with ``=``, ``+``, ``-``, ``@`` or a control character, and is no number, is written
    with an apostrophe before it, so that nothing in it is run. p-values below 1e-308 are 0 in
    Excel; their logarithms are beside them.

    Parameters
    ----------
    adata
        AnnData with a result of :func:`dex.tl.rank_genes`.
    path
        File to write.
    key
        Where the result is.
    **options
        Which rows, and under what names: ``test``, ``padj``, ``log2fc``, ``direction`` and
        ``gene_symbols``, as :func:`dex.get.rank_genes_df` takes them.

    Raises
    ------
    dex.errors.InputError
        If there is no such result, if the suffix or the folder is not one that can be written, if
        a package is missing, or if a test has more genes than a sheet of Excel has rows.

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

    suffix = table_suffix(path)
    if suffix == ".xlsx":
        from dex.io._excel import write_workbook

        write_workbook(adata, path, key=key, **options)
        return
    frame = rank_genes_df(adata, key=key, **options)
    if suffix == ".parquet":
        _write_parquet(adata, frame, path, key=key)
    else:
        write_table(frame, path)


def _write_parquet(adata: AnnData, frame: pd.DataFrame, path: str | Path, *, key: str) -> None:
    from dex.get import params, tests_df

    tests = tests_df(adata, key=key)
    frame["test"] = pd.Categorical(frame["test"], categories=tests["name"])
    rows = tests.to_dict(orient="records")
    metadata = {"key": key, "params": params(adata, key=key), "tests": rows}
    write_parquet(frame, path, metadata=metadata)
