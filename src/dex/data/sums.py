"""Totals of observations, in one pass over what is stored."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from anndata.abc import CSRDataset
from scipy import sparse

from dex.data.blocks import GeneBlocks
from dex.data.lazy import is_lazy, lazy_sums
from dex.data.stream import StreamedCSR

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dex.data.source import Source
    from dex.typing import Bool, Float, Int

_STORED_PER_PIECE = 2**22


@dataclass(frozen=True, slots=True)
class Sums:
    """What the counts of some observations add up to."""

    totals: Float
    """Over the genes, shape ``(n_obs,)``."""
    expressed: Bool
    """Genes above zero in any of the observations, shape ``(n_vars,)``."""

    @classmethod
    def of(cls, source: Source, rows: Int, *, n_threads: int | None = None) -> Sums:
        """Add up the counts of the observations ``rows``.

        Raises
        ------
        InputError
            If a value is negative or not finite.
        """
        if sparse.issparse(source.matrix):
            found = _of_stored(source.matrix, rows)
            if found is not None:
                return found
        if is_lazy(source.matrix):
            totals, expressed, good = lazy_sums(source.matrix, rows, n_threads=n_threads)
            if good:
                return cls(totals, expressed)
        if isinstance(source.matrix, CSRDataset):
            found = _of_rows(StreamedCSR(source.matrix, rows, 0))
            if found is not None:
                return found
        parts = GeneBlocks.all_genes(source, rows).map(
            lambda raw: (raw.sum(axis=1), raw.any(axis=0)), n_threads, "library sizes"
        )
        totals = np.sum([total for total, _ in parts], axis=0)
        return cls(totals, np.concatenate([some for _, some in parts]))


def row_totals(source: Source, *, n_threads: int | None = None) -> Float:
    """Sum of every observation over all genes, whatever the scale, shape ``(n_obs,)``."""
    everyone = np.arange(len(source.obs_names))
    everything = replace(GeneBlocks.all_genes(source, everyone), gaps=True)
    sums = everything.map(lambda raw: np.nansum(raw, axis=1), n_threads, "totals")
    return np.asarray(np.sum(sums, axis=0))


def _of_stored(matrix: Any, rows: Int) -> Sums | None:
    """Sums of CSR or CSC; None if a value cannot be used, which is then looked for elsewhere."""
    used = np.zeros(matrix.shape[0], dtype=bool)
    used[rows] = True
    totals, expressed = np.zeros(matrix.shape[0]), np.zeros(matrix.shape[1], dtype=bool)
    for i, j, values in _entries(matrix):
        here = used[i]
        if not here.all():
            i, j, values = i[here], j[here], values[here]  # noqa: PLW2901  # only those used
        low, high = values.min(initial=0), values.max(initial=0)
        if not (low >= 0 and high < np.inf):  # false for NaN
            return None
        totals += np.bincount(i, weights=values, minlength=len(totals))
        expressed[j[values > 0]] = True
    return Sums(totals[rows], expressed)


def _of_rows(stream: StreamedCSR) -> Sums | None:
    """Sums of CSR in a file; None as in :func:`_of_stored`."""
    totals, expressed = np.zeros(len(stream.rows)), np.zeros(stream.matrix.shape[1], dtype=bool)
    for first, own, chunk in stream.chunks():
        found = _of_stored(chunk, own)
        if found is None:
            return None
        totals[first : first + len(own)] = found.totals
        expressed |= found.expressed
    return Sums(totals, expressed)


def _entries(matrix: Any) -> Iterator[tuple[Int, Int, Any]]:
    """Row, column and value of what is stored, some millions at a time."""
    n_stored = int(matrix.indptr[-1])
    cuts = np.searchsorted(matrix.indptr, np.arange(0, n_stored, _STORED_PER_PIECE))
    for first, last in pairwise(np.unique([0, *cuts, len(matrix.indptr) - 1])):
        ends = matrix.indptr[first : last + 1]
        major = np.repeat(np.arange(first, last), np.diff(ends))
        minor = matrix.indices[ends[0] : ends[-1]]
        i, j = (major, minor) if matrix.format == "csr" else (minor, major)
        yield i, j, matrix.data[ends[0] : ends[-1]]
