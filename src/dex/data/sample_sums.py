"""Counts of cells added up into samples, in one pass over what is stored."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from anndata.abc import CSCDataset, CSRDataset
from scipy import sparse

from dex._numba import kernel
from dex._progress import progress
from dex.data.lazy import is_lazy, lazy_sample_sums
from dex.data.threads import map_threads, read_ahead, thread_count
from dex.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dex.typing import Float, Int

_VALUES_PER_FILE_READ: Final = 2**23
"""Of a sparse file: 64 MB; two such pieces are held, one being read and one added."""
_VALUES_PER_READ: Final = 2**24
"""Of a dense matrix: 128 MB."""


def add_up_rows(matrix: Any, labels: Int, n_samples: int, *, n_threads: int | None = None) -> Float:
    """Sum the rows of each sample, ``(n_samples, n_vars)``.

    Parameters
    ----------
    matrix
        Cells x genes: NumPy, SciPy CSR or CSC, backed by a file, or dask. Sparse ones are never
        made dense, and files are read once.
    labels
        Sample of every cell, shape ``(n_cells,)``; -1 is in none.
    n_samples
        Number of samples.

    Raises
    ------
    InputError
        If a value that is added up is negative or not finite.
    """
    labels = np.ascontiguousarray(labels, dtype=np.int64)
    shape = (n_samples, matrix.shape[1])
    form = getattr(matrix, "format", "")
    if is_lazy(matrix):
        added, good = lazy_sample_sums(matrix, labels, n_samples, n_threads=n_threads)
        _require_good(good)
        return added
    if isinstance(matrix, CSRDataset | CSCDataset):
        return _from_file(matrix, labels, shape)
    if sparse.issparse(matrix) and form == "csr":
        return _by_threads(matrix, labels, shape, n_threads)
    if sparse.issparse(matrix) and form == "csc":
        return _by_genes(matrix, labels, shape, n_threads)
    sums = np.zeros(shape)
    pieces = _cut(len(labels), max(_VALUES_PER_READ // shape[1], 1))
    read_pieces = zip(pieces, read_ahead(lambda span: matrix[slice(*span)], pieces), strict=True)
    for (start, stop), piece in progress(read_pieces, total=len(pieces), label="samples"):
        _require_good(_add_dense(piece, labels[start:stop], sums))
    return sums


def _from_file(matrix: Any, labels: Int, shape: tuple[int, int]) -> Float:
    """Read values and places as they lie there, the next ones while these are added."""
    group, sums = matrix.group, np.zeros(shape)
    starts = np.asarray(group["indptr"][:], dtype=np.int64)

    def read(lines: tuple[int, int]) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
        stored = slice(starts[lines[0]], starts[lines[1]])
        own = starts[lines[0] : lines[1] + 1] - starts[lines[0]]
        return own, np.asarray(group["indices"][stored]), np.asarray(group["data"][stored])

    ends = np.searchsorted(starts, np.arange(0, starts[-1], _VALUES_PER_FILE_READ))
    edges = sorted({0, *ends.tolist(), len(starts) - 1})
    pieces = list(pairwise(edges))
    read_pieces = zip(pieces, read_ahead(read, pieces), strict=True)
    for (first, last), parts in progress(read_pieces, total=len(pieces), label="samples"):
        if matrix.format == "csc":
            _require_good(_add_columns(*parts, labels, sums[:, first:last]))
        else:
            own = labels[first:last]
            _require_good(_add_rows(*parts, own, _by_sample(own), 0, sums))
    return sums


def _by_genes(matrix: Any, labels: Int, shape: tuple[int, int], n_threads: int | None) -> Float:
    """Every thread takes genes, whose sums nobody else has."""
    sums = np.zeros(shape)

    def work(genes: tuple[int, int]) -> None:
        starts = matrix.indptr[genes[0] : genes[1] + 1]
        own = sums[:, slice(*genes)]
        _require_good(_add_columns(starts, matrix.indices, matrix.data, labels, own))

    pieces = _cut(shape[1], -(-shape[1] // thread_count(n_threads)))
    map_threads(work, pieces, n_threads=n_threads, label="samples")
    return sums


def _cut(n: int, size: int) -> list[tuple[int, int]]:
    return list(pairwise([*range(0, n, size), n]))


def _by_threads(matrix: Any, labels: Int, shape: tuple[int, int], n_threads: int | None) -> Float:
    """Every thread takes samples that follow each other; two may have a part of one."""
    order = _by_sample(labels)

    def work(rows: Int) -> tuple[int, Float]:
        first, last = labels[rows[0]], labels[rows[-1]]
        sums = np.zeros((last - first + 1, shape[1]))
        _require_good(_add_rows(*_parts(matrix), labels, rows, first, sums))
        return int(first), sums

    pieces = [rows for rows in np.array_split(order, thread_count(n_threads)) if len(rows)]
    total = np.zeros(shape)
    for first, sums in map_threads(work, pieces, n_threads=n_threads, label="samples"):
        total[first : first + len(sums)] += sums
    return total


def _by_sample(labels: Int) -> Int:
    """Rows that are in a sample, sample by sample, so that its sums stay in the cache."""
    order = np.argsort(labels, kind="stable")
    return order[np.searchsorted(labels[order], 0) :]


def _parts(piece: Any) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    return piece.indptr, piece.indices, piece.data


def _require_good(good: bool) -> None:  # noqa: FBT001
    if not good:
        msg = "counts that are added up must be finite and not negative; drop those cells or genes."
        raise InputError(msg)


@kernel
def _add_rows(  # noqa: PLR0917  # compiled loops take plain positional arguments
    starts: Int,
    genes: Int,
    values: NDArray[Any],
    labels: Int,
    rows: Int,
    first: int,
    sums: Float,
) -> bool:
    """Add the ``rows`` of CSR; ``first`` is the sample of ``sums[0]``. False if not all counts."""
    good = True
    for i in rows:
        total = sums[labels[i] - first]
        for s in range(starts[i], starts[i + 1]):
            value = values[s]
            good &= value >= 0
            total[np.uint32(genes[s])] += value
    return good and bool(np.isfinite(sums).all())


@kernel
def _add_columns(starts: Int, cells: Int, values: NDArray[Any], labels: Int, sums: Float) -> bool:
    """Likewise of CSC; a column's values are at ``starts`` to the next."""
    good = True
    total = np.empty(len(sums))
    for j in range(len(starts) - 1):
        total[:] = 0.0
        for s in range(starts[j], starts[j + 1]):
            label = labels[np.uint32(cells[s])]
            if label >= 0:
                value = values[s]
                good &= value >= 0
                total[label] += value
        sums[:, j] = total
    return good and bool(np.isfinite(sums).all())


def _add_dense(piece: NDArray[Any], labels: Int, sums: Float) -> bool:
    used = labels >= 0
    member = sparse.csr_array(
        (np.ones(int(used.sum())), (labels[used], np.arange(int(used.sum())))),
        shape=(len(sums), int(used.sum())),
    )
    chosen = piece[used]
    sums += member @ chosen.astype(np.float64)
    return bool((chosen >= 0).all() and (chosen < np.inf).all())
