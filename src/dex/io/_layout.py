"""Which columns of a table are counts, and which describe its rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from dex._logging import logger
from dex.errors import InputError
from dex.io._cells import MISSING, Cells, are_numbers, as_text, is_text_cell
from dex.io._names import few

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dex.typing import Bool

Orientation = Literal["genes_x_samples", "samples_x_genes"]

_IDS = ("entrez", "entrezid", "entrez_id", "entrezgene", "entrezgene_id", "ncbi_gene_id", "hgnc_id")
_LENGTHS = ("length", "effective_length", "gc", "gc_content", "gccontent", "percentage_gc_content")
_CHROMOSOMES = ("chr", "chrom", "chromosome", "chromosome_name", "seqnames", "seqname")
_POSITIONS = ("start", "end", "strand", "width", "start_position", "end_position")
_MANY_SAMPLES = 1000


@dataclass(frozen=True, slots=True)
class CountTable:
    """A text table, sorted into what was measured and what describes its rows."""

    rows: pd.Index
    measured: pd.DataFrame
    """Columns of counts."""
    described: pd.DataFrame
    """The other columns."""
    by_gene: bool
    """Whether rows are genes and columns samples."""

    @classmethod
    def from_cells(
        cls,
        cells: Cells,
        orientation: Orientation,
        *,
        annotation: Sequence[str],
        words: frozenset[str],
    ) -> CountTable:
        """Sort the columns of ``cells``.

        Parameters
        ----------
        cells
            The table.
        orientation
            What its rows are.
        annotation
            Columns that are said to describe the rows.
        words
            Names that are samples, whatever they look like.

        Raises
        ------
        InputError
            A column of ``annotation`` is not there, or no column is left for counts.
        """
        by_gene = orientation == "genes_x_samples"
        if by_gene:
            cells = _without_row_numbers(cells)
        describes = _describing(cells.columns, annotation, words, by_gene=by_gene)
        measured, described = cells.columns.loc[:, ~describes], cells.columns.loc[:, describes]
        if measured.empty:
            msg = (
                "The table has no column of numbers beside the row names; its columns are "
                f"{few(cells.columns.columns)}. Is its separator or decimal point unusual?"
            )
            raise InputError(msg)
        if not described.empty:
            axis = "genes: moved to var" if by_gene else "samples: moved to obs"
            logger.info("Columns that describe %s: %s.", axis, few(described.columns, 10))
        return cls(cells.names, measured, described, by_gene)

    @property
    def samples(self) -> pd.Index:
        """Names of the samples."""
        return self.measured.columns if self.by_gene else self.rows

    @property
    def genes(self) -> pd.Index:
        """Names of the genes."""
        return self.rows if self.by_gene else self.measured.columns

    def warn_if_turned(self) -> None:
        """Warn where there are so many more samples than genes that they may be confused."""
        if len(self.samples) > max(_MANY_SAMPLES, 10 * len(self.genes)):
            logger.warning(
                "The table was read as %d genes x %d samples. If that is the wrong way round, "
                "pass the other orientation=.",
                len(self.genes),
                len(self.samples),
            )


def _without_row_numbers(cells: Cells) -> Cells:
    """Take the gene names from the second column where the first only numbers the rows."""
    first = cells.columns.iloc[:, :1]
    if cells.names_header or first.empty or are_numbers(first).any():
        return cells
    numbers = [pd.RangeIndex(start, start + len(cells.names)).astype(str) for start in (0, 1)]
    genes = as_text(first.iloc[:, 0])
    if not any(cells.names.equals(number) for number in numbers) or not is_text_cell(genes).all():
        return cells
    name = str(first.columns[0])
    logger.info("Gene names were taken from column '%s'; the first numbers the rows.", name)
    return Cells(pd.Index(genes).rename(None), name, cells.columns.iloc[:, 1:])


def _describing(
    columns: pd.DataFrame, annotation: Sequence[str], words: frozenset[str], *, by_gene: bool
) -> Bool:
    """Which columns say something about the rows: text, or a known name, or so declared."""
    absent = [name for name in annotation if name not in columns.columns]
    if absent:
        msg = f"annotation={few(absent)} is not in the table; it has {few(columns.columns)}."
        raise InputError(msg)
    lower = columns.columns.str.lower()
    located = _POSITIONS if lower.isin(_CHROMOSOMES).any() else ()  # "start" alone is a sample
    known = lower.isin([*_IDS, *_LENGTHS, *_CHROMOSOMES, *located]) if by_gene else False
    unlike_counts = ~are_numbers(columns)
    unlike_counts[unlike_counts] = [
        _is_mostly_text(column) for _, column in columns.loc[:, unlike_counts].items()
    ]
    undeclared = (known | unlike_counts) & ~columns.columns.isin(words)
    return np.asarray(undeclared | columns.columns.isin(annotation), dtype=bool)


def _is_mostly_text(column: pd.Series[Any]) -> bool:
    """Whether most cells are text: a few bad cells do not make an annotation of a sample."""
    text = as_text(column)
    return bool(is_text_cell(text).sum() * 2 > (~text.isin(MISSING)).sum())
