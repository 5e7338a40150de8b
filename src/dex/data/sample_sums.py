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

_LINES_PER_READ: Final = 8192
"""Rows of a CSR file or columns of a CSC file that are read at a time."""
_VALUES_PER_READ: Final = 2**24
"""Of a dense matrix: 128 MB."""
_LARGEST_SUMS: Final = 2**27
"""Sums, a gigabyte, that the threads may have between them."""


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
    if sparse.issparse(matrix) and form == "csr":
        room = max(1, _LARGEST_SUMS // max(shape[0] * shape[1], 1))
        edges = np.linspace(0, len(labels), min(thread_count(n_threads), room) + 1, dtype=np.intp)
        return _by_threads(matrix, labels, shape, edges)
    sums = np.zeros(shape)
    by_gene = form == "csc"
    n_lines = matrix.shape[1 if by_gene else 0]
    edges = np.arange(0, n_lines, _lines_per_read(matrix))
    pieces = list(pairwise([*edges.tolist(), n_lines]))

    def read(span: tuple[int, int]) -> Any:
        if len(pieces) == 1 and sparse.issparse(matrix):
            return matrix
        return matrix[:, slice(*span)] if by_gene else matrix[slice(*span)]

    read_pieces = zip(pieces, read_ahead(read, pieces), strict=True)
    for (start, stop), piece in progress(read_pieces, total=len(pieces), label="samples"):
        if by_gene:
            _require_good(_add_columns(*_parts(piece), labels, sums[:, start:stop]))
        elif isinstance(piece, np.ndarray):
            _require_good(_add_dense(piece, labels[start:stop], sums))
        else:
            here = np.array([0, stop - start])
            _require_good(_add_rows(*_parts(piece), labels[start:stop], here, sums))
    return sums


def _by_threads(matrix: Any, labels: Int, shape: tuple[int, int], edges: Int) -> Float:
    def work(rows: Int) -> Float:
        sums = np.zeros(shape)
        _require_good(_add_rows(*_parts(matrix), labels, rows, sums))
        return sums

    spans = [np.array(span) for span in pairwise(edges.tolist())]
    found = map_threads(work, spans, n_threads=len(spans), label="samples")
    return np.asarray(np.sum(found, axis=0)) if len(found) > 1 else found[0]


def _lines_per_read(matrix: Any) -> int:
    if isinstance(matrix, CSRDataset | CSCDataset):
        return _LINES_PER_READ
    n_vars = int(matrix.shape[1])
    return max(n_vars, 1) if sparse.issparse(matrix) else max(_VALUES_PER_READ // n_vars, 1)


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
    sums: Float,
) -> bool:
    """Add the rows from ``rows[0]`` to ``rows[1]`` of CSR; False if a value cannot be a count."""
    good = True
    for i in range(rows[0], rows[1]):
        if labels[i] >= 0:
            for s in range(starts[i], starts[i + 1]):
                value = values[s]
                good &= value >= 0 and value < np.inf
                sums[labels[i], genes[s]] += value
    return good


@kernel
def _add_columns(starts: Int, cells: Int, values: NDArray[Any], labels: Int, sums: Float) -> bool:
    good = True
    for j in range(len(starts) - 1):
        for s in range(starts[j], starts[j + 1]):
            label = labels[cells[s]]
            if label >= 0:
                value = values[s]
                good &= value >= 0 and value < np.inf
                sums[label, j] += value
    return good


def _add_dense(piece: NDArray[Any], labels: Int, sums: Float) -> bool:
    used = labels >= 0
    member = sparse.csr_array(
        (np.ones(int(used.sum())), (labels[used], np.arange(int(used.sum())))),
        shape=(len(sums), int(used.sum())),
    )
    chosen = piece[used]
    sums += member @ chosen.astype(np.float64)
    return bool((chosen >= 0).all() and (chosen < np.inf).all())
