"""Genes as lists of the observations where they differ from a background, which is mostly zero."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dex._numba import kernel

if TYPE_CHECKING:
    from collections.abc import Callable

    from dex.typing import Float, Int

Int32 = NDArray[np.int32]
Values = NDArray[np.float32] | NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class SparseGenes:
    """Some genes of all observations, of which only those beside the background are listed."""

    starts: Int
    """Gene ``j`` is listed from ``starts[j]`` to ``starts[j + 1]``; shape ``(n_vars + 1,)``."""
    rows: Int32
    """Observations, ascending within a gene, each listed once; shape ``(n_listed,)``."""
    values: Values
    """Their values, float32 or float64; the background may be among them. Same shape."""
    n_obs: int
    background: float = 0.0
    """Value of all observations that are not listed."""
    no_nan: bool = False
    """Whether it is known that no value is NaN, so that none need be looked for."""

    @property
    def n_vars(self) -> int:
        """Number of genes."""
        return len(self.starts) - 1

    @classmethod
    def from_dense(cls, values: Any) -> SparseGenes:
        """List what is not zero in ``(n_obs, n_vars)``; Fortran order is read without a copy.

        Examples
        --------
        >>> genes = SparseGenes.from_dense(np.array([[0.0, 2.0], [1.0, 0.0]]))
        >>> genes.starts.tolist(), genes.rows.tolist(), genes.values.tolist()
        ([0, 1, 2], [1, 0], [1.0, 2.0])
        """
        given = np.asarray(values)
        dtype: Any = np.float32 if given.dtype == np.float32 else np.float64
        by_gene = np.ascontiguousarray(given.T, dtype=dtype)
        starts = np.zeros(len(by_gene) + 1, np.intp)
        np.cumsum(np.count_nonzero(by_gene, axis=1), out=starts[1:])
        rows, listed = np.empty(starts[-1], np.int32), np.empty(starts[-1], by_gene.dtype)
        _list_nonzero(by_gene, rows, listed)
        return cls(starts, rows, listed, len(given))

    def take(self, start: int, stop: int) -> SparseGenes:
        """Return a view of the genes from ``start`` to before ``stop``."""
        starts = self.starts[start : stop + 1]
        listed = slice(starts[0], starts[-1])
        parts = (starts - starts[0], self.rows[listed], self.values[listed])
        return SparseGenes(*parts, self.n_obs, self.background, self.no_nan)

    def to_dense(self, rows: Int | None = None) -> Float:
        """All values of the observations ``rows`` (ascending; default all), ``(n, n_vars)``.

        Float64, Fortran order: a gene is contiguous.
        """
        chosen = np.arange(self.n_obs) if rows is None else rows
        place = np.full(self.n_obs, -1, np.intp)
        place[chosen] = np.arange(len(chosen))
        by_gene = np.full((self.n_vars, len(chosen)), float(self.background))
        _fill_rows(self.starts, self.rows, self.values, place, by_gene)
        return by_gene.T

    def split(self, labels: Int32, n_labels: int) -> list[SparseGenes]:
        """Genes of the observations of every label, ``0 ... n_labels - 1``; -1 is in none.

        It looks at what is listed twice, however many labels there are.

        Examples
        --------
        >>> genes = SparseGenes.from_dense(np.array([[1.0], [2.0], [3.0]]))
        >>> parts = genes.split(np.array([1, 0, 1], dtype=np.int32), 2)
        >>> [(part.rows.tolist(), part.values.tolist(), part.n_obs) for part in parts]
        [([0], [2.0], 1), ([0, 1], [1.0, 3.0], 2)]
        """
        sizes = np.bincount(labels + 1, minlength=n_labels + 1)
        order, local = np.argsort(labels, kind="stable"), np.empty(self.n_obs, np.int32)
        first = np.cumsum(sizes) - sizes
        local[order] = np.arange(self.n_obs) - np.repeat(first, sizes)
        starts = _starts_by_label(self.starts, self.rows, labels, n_labels)
        rows = np.empty(starts[-1, -1], np.int32)
        values = np.empty(starts[-1, -1], self.values.dtype)
        listed = (self.starts, self.rows, self.values)
        _list_by_label(listed, labels, local, starts[:, :-1].copy(), (rows, values))
        parts = []
        for own, n_obs in zip(starts, sizes[1:].tolist(), strict=True):
            here = slice(own[0], own[-1])
            parts.append(
                SparseGenes(own - own[0], rows[here], values[here], n_obs, self.background)
            )
        return parts

    def sum_genes(self) -> Float:
        """Sum over the genes per observation, shape ``(n_obs,)``; the background is zero."""
        return np.bincount(self.rows, weights=self.values, minlength=self.n_obs)

    def divided_by(self, divisors: Float) -> SparseGenes:
        """Divide by a number per observation, ``(n_obs,)``; the background, zero, stays."""
        values = np.empty(len(self.values))
        _divide(self.values, self.rows, divisors, values)
        return replace(self, values=values, no_nan=False)

    def map(self, function: Callable[[Any], Any]) -> SparseGenes:
        """Apply a function of single values, in float64, to the listed ones and the background."""
        values = function(np.asarray(self.values, np.float64))
        background = function(np.array([self.background], np.float64)).item()
        return replace(self, values=values, background=background, no_nan=False)


def sparse_genes(values: Any) -> SparseGenes:
    """Return ``values`` if they are sparse genes, else list those of a dense block."""
    return values if isinstance(values, SparseGenes) else SparseGenes.from_dense(values)


@kernel
def _divide(values: Values, rows: Int32, divisors: Float, out: Float) -> None:
    """Fill ``out`` with the values over the divisors of their rows."""
    for i in range(values.shape[0]):
        out[i] = values[i] / divisors[np.uint64(rows[i])]


@kernel
def _list_nonzero(by_gene: Values, rows: Int32, listed: Values) -> None:
    """Fill ``rows`` and ``listed`` from ``(n_vars, n_obs)``; NaN is not zero."""
    n = 0
    for j in range(by_gene.shape[0]):
        for i in range(by_gene.shape[1]):
            if by_gene[j, i] != 0.0:
                rows[n], listed[n] = i, by_gene[j, i]
                n += 1


@kernel
def _fill_rows(starts: Int, rows: Int32, values: Values, place: Int, by_gene: Float) -> None:
    """Put the listed values of the observations with ``place >= 0`` there."""
    for j in range(by_gene.shape[0]):
        for k in range(starts[j], starts[j + 1]):
            if place[rows[k]] >= 0:
                by_gene[j, place[rows[k]]] = values[k]


@kernel
def _starts_by_label(starts: Int, rows: Int32, labels: Int32, n_labels: int) -> Int:
    """Where every label's list of every gene starts, label by label, ``(n_labels, n_vars + 1)``."""
    n_vars, before = starts.shape[0] - 1, 0
    out = np.zeros((n_labels, n_vars + 1), np.intp)
    for j in range(n_vars):
        for k in range(starts[j], starts[j + 1]):
            if labels[rows[k]] >= 0:
                out[labels[rows[k]], j + 1] += 1
    for label in range(n_labels):
        out[label, 0] = before
        for j in range(n_vars):
            out[label, j + 1] += out[label, j]
        before = out[label, n_vars]
    return out


@kernel
def _list_by_label(
    genes: tuple[Int, Int32, Values],
    labels: Int32,
    local: Int32,
    place: Int,
    out: tuple[Int32, Values],
) -> None:
    """Put every value where its label and gene have ``place``, which moves."""
    starts, rows, values = genes
    for j in range(starts.shape[0] - 1):
        for k in range(starts[j], starts[j + 1]):
            label = labels[rows[k]]
            if label >= 0:
                spot = place[label, j]
                out[0][spot], out[1][spot] = local[rows[k]], values[k]
                place[label, j] = spot + 1
