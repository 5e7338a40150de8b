"""Average transcript lengths of observations, and counts over them, by whole rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dex.data.reader import read_rows, row_pieces
from dex.data.threads import map_threads
from dex.stats.length_offsets import check_lengths

if TYPE_CHECKING:
    from dex.typing import Float, Int


@dataclass(frozen=True, slots=True)
class Lengths:
    """Lengths relative to each gene's geometric mean over some observations."""

    matrix: Any
    """Observations x genes."""
    rows: Int
    """Observations used."""
    log_means: Float
    """Shape ``(n_vars,)``."""

    @classmethod
    def of(cls, matrix: Any, rows: Int, *, n_threads: int | None) -> Lengths:
        """Find the means.

        Raises
        ------
        InputError
            If a length is not a positive number.
        """

        def log_sums(piece: Int) -> Float:
            values = read_rows(matrix, rows[piece])
            check_lengths(values)
            return np.asarray(np.log(values).sum(axis=0))

        pieces = row_pieces(matrix, np.arange(len(rows)))
        sums = map_threads(log_sums, pieces, n_threads=n_threads, label="lengths")
        return cls(matrix, rows, np.sum(sums, axis=0) / len(rows))

    def relative(self, positions: Int) -> Float:
        """Lengths of some of the observations over their geometric means, all genes."""
        values = read_rows(self.matrix, self.rows[positions])
        return np.asarray(np.exp(np.log(values) - self.log_means))

    def scaled_totals(self, counts: Any, *, n_threads: int | None) -> Float:
        """Totals of the counts over relative lengths, shape ``(n_obs,)``."""

        def totals(piece: Int) -> Float:
            scaled = read_rows(counts, self.rows[piece]) / self.relative(piece)
            return np.asarray(scaled.sum(axis=1))

        pieces = row_pieces(counts, np.arange(len(self.rows)))
        return np.concatenate(
            map_threads(totals, pieces, n_threads=n_threads, label="library sizes")
        )
