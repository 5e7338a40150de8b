"""Sets of genes as positions among the genes of a matrix."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from dex.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from dex.typing import Bool, Float, Int


@dataclass(frozen=True, slots=True)
class SetIndex:
    """Which genes are in which set."""

    members: Int
    """Positions of genes, set after set; none twice in a set."""
    starts: Int
    """Where each set begins in ``members``, and the end: ``(n_sets + 1,)``."""
    n_vars: int
    """Genes of the matrix."""

    @classmethod
    def of(cls, sets: Sequence[ArrayLike], n_vars: int) -> SetIndex:
        """Take lists of positions, each from 0 to ``n_vars - 1``.

        Raises
        ------
        InputError
            If a position is not that of a gene, or stands twice in a set.

        Examples
        --------
        >>> SetIndex.of([[0, 2], [1]], 3).sums(np.array([1.0, 10.0, 100.0])).tolist()
        [101.0, 10.0]
        """
        lists = [np.asarray(one, dtype=np.intp).ravel() for one in sets]
        starts = np.concatenate([[0], np.cumsum([len(one) for one in lists])]).astype(np.intp)
        members = np.concatenate([*lists, np.empty(0, dtype=np.intp)])
        if len(members) and not 0 <= members.min() <= members.max() < n_vars:
            wrong = members.min() if members.min() < 0 else members.max()
            msg = f"a set has a gene at {wrong}, and there are {n_vars} genes."
            raise InputError(msg)
        made = cls(members, starts, n_vars)
        if made.matrix.nnz < len(members):
            msg = "a set has a gene twice."
            raise InputError(msg)
        return made

    @property
    def sizes(self) -> Int:
        """Genes in each set, ``(n_sets,)``."""
        return np.diff(self.starts)

    @property
    def n_sets(self) -> int:
        """How many sets there are."""
        return len(self.starts) - 1

    @property
    def matrix(self) -> sparse.csr_array:
        """1 where a gene is in a set, ``(n_sets, n_vars)``."""
        ones = np.ones(len(self.members))
        made = sparse.csr_array(
            (ones, self.members, self.starts), shape=(self.n_sets, self.n_vars), copy=True
        )
        made.sum_duplicates()
        return made

    def __getitem__(self, i: int) -> Int:
        """Positions of the genes of one set."""
        return self.members[self.starts[i] : self.starts[i + 1]]

    def sums(self, values: Float) -> Float:
        """Sums over the genes of each set; ``values`` are ``(n_vars,)`` or ``(n_vars, k)``."""
        return np.asarray(self.matrix @ values)

    def among(self, genes: Bool) -> SetIndex:
        """Only some of the genes, ``(n_vars,)``, numbered anew."""
        place = np.cumsum(genes) - 1
        kept = genes[self.members]
        starts = np.concatenate([[0], np.cumsum(kept)])[self.starts]
        return SetIndex(
            place[self.members[kept]].astype(np.intp), starts.astype(np.intp), int(genes.sum())
        )

    def take(self, sets: Bool) -> SetIndex:
        """Only some of the sets, ``(n_sets,)``."""
        kept = np.repeat(sets, self.sizes)
        starts = np.concatenate([[0], np.cumsum(self.sizes[sets])]).astype(np.intp)
        return SetIndex(self.members[kept], starts, self.n_vars)
