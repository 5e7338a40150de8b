"""New matrices made from old ones piece by piece, so that no second copy is held meanwhile."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from dex.data.reader import reader_for, row_pieces
from dex.data.threads import map_threads
from dex.stats.quantiles import mean_quantiles, set_quantiles

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import DTypeLike, NDArray

    from dex.typing import Float, Int

_STORED_PER_PIECE = 2**20
_FEWEST_GENES = 16


def map_scaled(
    matrix: Any,
    function: Callable[[Float], Float],
    size_factors: Float,
    *,
    dtype: DTypeLike,
    n_threads: int | None,
) -> Any:
    """``function(matrix / size_factors)``, of a function that leaves 0 as it is.

    Dense stays dense; CSR and CSC keep their format, and which entries are stored.
    """
    if not sparse.issparse(matrix):
        scaled = size_factors[:, None]
        return map_genes(matrix, lambda raw: function(raw / scaled), dtype, n_threads=n_threads)
    matrix = _without_duplicates(matrix)
    data = np.empty(matrix.nnz, dtype=dtype)

    def work(piece: slice) -> None:
        stored, factors = _stored(matrix, piece, size_factors)
        data[stored] = function(matrix.data[stored].astype(np.float64) / factors)

    map_threads(work, _major_pieces(matrix), n_threads=n_threads, label="normalise")
    parts = (data, matrix.indices[: matrix.nnz].copy(), matrix.indptr.copy())
    return _plain_type(matrix)(parts, shape=matrix.shape)


def map_genes(
    matrix: Any, function: Callable[[Float], Float], dtype: DTypeLike, *, n_threads: int | None
) -> NDArray[Any]:
    """Apply ``function`` to blocks of genes, ``(n_obs, n_genes)``; the result is dense."""
    n_obs, n_vars = matrix.shape
    by_column = isinstance(matrix, np.ndarray) and np.isfortran(matrix)
    out = np.empty(matrix.shape, dtype=dtype, order="F" if by_column else "C")
    reader = reader_for(matrix, np.arange(n_obs))

    def work(genes: Int) -> None:
        out[:, genes[0] : genes[-1] + 1] = function(reader.read(genes))

    per_block = max(reader.genes_per_block, _FEWEST_GENES)
    pieces = np.array_split(np.arange(n_vars), -(-n_vars // per_block))
    map_threads(work, pieces, n_threads=n_threads, label="normalise")
    return out


def set_mean_quantiles(values: Float, *, n_threads: int | None) -> None:
    """Normalise the quantiles of the observations in place."""
    quantiles = mean_quantiles(values)

    def work(rows: Int) -> None:
        values[rows] = set_quantiles(values[rows], quantiles)

    pieces = row_pieces(values, np.arange(len(values)))
    map_threads(work, pieces, n_threads=n_threads, label="quantiles")


def _without_duplicates(matrix: Any) -> Any:
    """Entries that are stored in parts are added up, in a copy: a log is not a sum of logs."""
    if matrix.has_canonical_format:
        return matrix
    matrix = matrix.copy()
    matrix.sum_duplicates()
    return matrix


def _major_pieces(matrix: Any) -> list[slice]:
    """Rows of CSR or columns of CSC, so many that about a million values are stored in them."""
    n_stored = int(matrix.indptr[-1])
    cuts = np.searchsorted(matrix.indptr, np.arange(0, n_stored, _STORED_PER_PIECE), side="left")
    ends = np.unique([0, *cuts, len(matrix.indptr) - 1])
    return [slice(int(a), int(b)) for a, b in pairwise(ends)]


def _stored(matrix: Any, piece: slice, size_factors: Float) -> tuple[slice, Float]:
    """Where the values of some rows or columns are stored, and the size factor of each."""
    ends = matrix.indptr[piece.start : piece.stop + 1]
    stored = slice(int(ends[0]), int(ends[-1]))
    if matrix.format == "csc":
        return stored, size_factors[matrix.indices[stored]]
    return stored, np.repeat(size_factors[piece], np.diff(ends))


def _plain_type(matrix: Any) -> Any:
    """SciPy's own class: a view of an AnnData has one that would write into its parent."""
    arrays = isinstance(matrix, sparse.sparray)
    if matrix.format == "csr":
        return sparse.csr_array if arrays else sparse.csr_matrix
    return sparse.csc_array if arrays else sparse.csc_matrix
