"""Totals of observations, in one pass over what is stored."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from anndata.abc import CSRDataset
from scipy import sparse

from dex._numba import kernel
from dex.data.blocks import GeneBlocks
from dex.data.lazy import is_lazy, lazy_sums
from dex.data.stream import StreamedCSR

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dex.data.source import Source
    from dex.typing import Bool, Float, Int

    Stored = tuple[NDArray[Any], NDArray[Any], NDArray[Any]]


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
    place = np.full(matrix.shape[0], -1, np.intp)
    place[rows] = np.arange(len(rows))
    totals, expressed = np.zeros(len(rows)), np.zeros(matrix.shape[1], dtype=bool)
    add_up = _add_rows if matrix.format == "csr" else _add_columns
    good = add_up((matrix.indptr, matrix.indices, matrix.data), place, totals, expressed)
    return Sums(totals, expressed) if good else None


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


@kernel
def _add_rows(matrix: Stored, place: Int, totals: Float, expressed: Bool) -> bool:
    """Add up CSR, of the rows with ``place >= 0``; return whether all values can be used."""
    indptr, indices, data = matrix
    good: Any = True
    for i in range(indptr.shape[0] - 1):
        if place[i] < 0:
            continue
        total = 0.0
        for k in range(indptr[i], indptr[i + 1]):
            value = np.float64(data[k])
            good &= 0 <= value < np.inf  # false for NaN
            total += value
            expressed[np.uint64(indices[k])] |= value > 0
        totals[place[i]] = total
    return bool(good)


@kernel
def _add_columns(matrix: Stored, place: Int, totals: Float, expressed: Bool) -> bool:
    """Likewise CSC."""
    indptr, indices, data = matrix
    good: Any = True
    for j in range(indptr.shape[0] - 1):
        for k in range(indptr[j], indptr[j + 1]):
            spot, value = place[np.uint64(indices[k])], np.float64(data[k])
            if spot >= 0:
                good &= 0 <= value < np.inf
                totals[spot] += value
                expressed[j] |= value > 0
    return bool(good)
