"""A table of counts, from a text file to an AnnData."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from anndata import AnnData

from dex._logging import logger
from dex.errors import InputError
from dex.io._cells import Reading, as_text, numbers_if_all, read_cells
from dex.io._gene_sheet import GeneSheet
from dex.io._layout import CountTable, Orientation
from dex.io._names import check_samples_unique, few, storable, summary_rows, warn_about_genes
from dex.io._numbers import Where, count_matrix
from dex.io._sheet import SampleSheet, from_text

if TYPE_CHECKING:
    import os
    from collections.abc import Hashable, Sequence

    from numpy.typing import NDArray

_ORIENTATIONS = ("genes_x_samples", "samples_x_genes")


def read_counts(
    path: str | os.PathLike[str],
    *,
    samples: str | os.PathLike[str] | pd.DataFrame | None = None,
    genes: str | os.PathLike[str] | pd.DataFrame | None = None,
    groups: Sequence[Hashable] | None = None,
    groupby: str = "condition",
    orientation: Orientation = "genes_x_samples",
    sep: str | None = None,
    decimal: Literal[".", ","] | None = None,
    gene_column: str | None = None,
    annotation: Sequence[str] = (),
) -> AnnData:
    r"""Read a table of counts, and the sheet that says which sample is what.

    Separator, decimal comma, quotes, byte order mark, encoding, compression and the short header of
    R's ``write.table`` are recognised. Columns that describe genes (text; names as featureCounts
    gives them; those in ``annotation``) go to ``var``; rows in which HTSeq and STAR count the reads
    of no gene are left out. Both are said through :mod:`logging`.

    Parameters
    ----------
    path
        CSV, TSV or TXT; plain or compressed by gzip, bzip2 or xz.
    samples
        Sample sheet, a file or a DataFrame. Samples are matched by name, which the index of a
        DataFrame or any one column may hold; never by position. From a file, text that repeats
        becomes categories in order of appearance; ``NA`` and empty cells are missing values.
    genes
        Table of genes, a file or a DataFrame, whose columns (symbols, lengths) go to ``var``. Genes
        are matched by name, in the index or any one column, with or without the version of an
        Ensembl identifier; those that it lacks have missing values there.
    groups
        Instead of, or beside, the sheet: the condition of each sample, in the order of the table;
        stored in ``obs[groupby]`` as a categorical, its categories in order of appearance.
    groupby
        Column of ``obs`` that ``groups`` goes to.
    orientation
        Whether rows are genes (the default) or samples.
    sep, decimal
        Column separator and decimal point; recognised if None.
    gene_column
        Column with the gene names; the first one if None.
    annotation
        Further columns that describe the rows though they hold numbers.

    Returns
    -------
    AnnData
        Observations are samples and variables are genes, both in the order of the file. ``X`` holds
        the numbers exactly: float32 where they are whole and at most 2**24, else float64.

    Raises
    ------
    InputError
        The file cannot be read or is no table; a cell is missing, negative, infinite or no number;
        sample names repeat, or differ between table and sheet; ``genes`` names none of the genes.

    Examples
    --------
    >>> import dex
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "counts.tsv"
    ...     _ = path.write_text("gene\tA1\tA2\tB1\nFKBP5\t3\t4\t90\nACTB\t70\t69\t71\n")
    ...     adata = dex.io.read_counts(path, groups=["control", "control", "treated"])
    >>> adata.to_df()
        FKBP5  ACTB
    A1    3.0  70.0
    A2    4.0  69.0
    B1   90.0  71.0
    >>> list(adata.obs["condition"])
    ['control', 'control', 'treated']
    """
    _check_options(orientation, decimal, gene_column)
    sheet = None if samples is None else SampleSheet.from_any(samples, "samples")
    gene_sheet = None if genes is None else GeneSheet.from_any(genes, "genes")
    words = frozenset[str]() if sheet is None else sheet.words()
    cells = read_cells(Path(path), Reading(sep=sep, decimal=decimal, name_column=gene_column))
    table = CountTable.from_cells(cells, orientation, annotation=annotation, words=words)
    check_samples_unique(table.samples, f"'{path}'")
    obs = _described(table, sheet)
    if groups is not None:
        obs = _with_groups(obs, groups, groupby)
    where = Where(table.rows, table.measured.columns, table.by_gene, f"'{path}'")
    counts = count_matrix(table.measured, where)
    table.warn_if_turned()
    return _without_summary(counts.T if table.by_gene else counts, obs, table, gene_sheet)


def _check_options(orientation: str, decimal: str | None, gene_column: str | None) -> None:
    if orientation not in _ORIENTATIONS:
        msg = f"orientation={orientation!r} is not possible; pass one of {few(_ORIENTATIONS)}."
        raise InputError(msg)
    if decimal not in {None, ".", ","}:
        msg = f"decimal={decimal!r} is not possible; pass '.' or ',', or leave it out."
        raise InputError(msg)
    if gene_column is not None and orientation == "samples_x_genes":
        msg = f"gene_column={gene_column!r} has no meaning where each column is a gene; drop it."
        raise InputError(msg)


def _described(table: CountTable, sheet: SampleSheet | None) -> pd.DataFrame:
    """Return what is known about the samples; the sheet has the last word."""
    obs = pd.DataFrame(index=table.samples)
    if not table.by_gene:
        obs = table.described.apply(as_text).apply(from_text).set_axis(table.samples)
        obs.columns = storable(obs.columns)
    if sheet is None:
        return obs
    matched = sheet.match(table)
    return _joined(obs, matched)


def _joined(own: pd.DataFrame, sheet: pd.DataFrame) -> pd.DataFrame:
    """Columns of both; where they have the same name, those of the sheet."""
    return pd.concat([own.drop(columns=own.columns.intersection(sheet.columns)), sheet], axis=1)


def _with_groups(obs: pd.DataFrame, groups: Sequence[Hashable], groupby: str) -> pd.DataFrame:
    if isinstance(groups, str) or len(groups) != len(obs):
        given = f"the text {groups!r}" if isinstance(groups, str) else f"{len(groups)} labels"
        msg = (
            f"groups= is {given}, but the table has {len(obs)} samples: {few(obs.index)}. "
            "Pass one label for each, in this order."
        )
        raise InputError(msg)
    if groupby in obs:
        msg = f"groups= would replace the column {groupby!r} of the sheet; pass another groupby=."
        raise InputError(msg)
    labels = pd.Series(list(groups), index=obs.index, dtype=object)
    text = labels.map(str).mask(labels.isna())
    return obs.assign(**{groupby: pd.Categorical(text, categories=list(text.dropna().unique()))})


def _without_summary(
    counts: NDArray[Any], obs: pd.DataFrame, table: CountTable, sheet: GeneSheet | None
) -> AnnData:
    """Drop the rows that are no genes, and say what is odd about the names of the others."""
    summary = summary_rows(table.genes)
    is_gene = ~table.genes.isin(summary)
    if len(summary):
        logger.info("%d rows are no genes and were left out: %s.", len(summary), few(summary))
        counts = counts[:, is_gene]
    genes = table.genes[is_gene]
    warn_about_genes(genes)
    var = pd.DataFrame(index=genes)
    if table.by_gene:
        var = table.described[is_gene].apply(_annotated).set_axis(genes)
        var.columns = storable(var.columns)
    if sheet is not None:
        var = _joined(var, sheet.match(genes))
    with warnings.catch_warnings():  # said above, with the names
        warnings.filterwarnings("ignore", message="Variable names are not unique")
        return AnnData(np.ascontiguousarray(counts), obs=obs, var=var)


def _annotated(column: pd.Series[Any]) -> pd.Series[Any]:
    return column if column.dtype.kind in "iufb" else numbers_if_all(as_text(column))
