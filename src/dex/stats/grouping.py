"""Which group every observation is in, checked once for all the blocks of genes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dex.errors import InputError
from dex.typing import REST, Int

Int32 = NDArray[np.int32]
Codes = NDArray[np.intp] | Int32
"""Group of each observation; -1 is in none."""


@dataclass(frozen=True, slots=True)
class Grouping:
    """The groups of the observations, as kernels take them, which check no bounds."""

    codes: Int32
    """Group of each observation, shape ``(n_obs,)``; -1 is in no group."""
    sizes: Int
    """Observations per group, shape ``(n_groups,)``; a group may be empty."""

    @property
    def n_obs(self) -> int:
        """Number of observations, those in no group too."""
        return len(self.codes)

    @property
    def n_groups(self) -> int:
        """Number of groups."""
        return len(self.sizes)

    @classmethod
    def of(cls, codes: Codes | Grouping, n_groups: int, n_obs: int) -> Grouping:
        """Check the codes; what has been checked is only measured.

        Raises
        ------
        InputError
            If there is not one code per observation, or one is not in ``-1 ... n_groups - 1``.
        """
        if isinstance(codes, Grouping):
            _require_shape(codes.codes.shape, n_obs)
            return codes
        _require_shape(np.shape(codes), n_obs)
        if n_obs and not (np.min(codes) >= -1 and np.max(codes) < n_groups):
            message = (
                f"codes run from {np.min(codes)} to {np.max(codes)}; {n_groups} groups have codes "
                f"0 to {n_groups - 1}, and -1 is no group."
            )
            raise InputError(message)
        checked = np.ascontiguousarray(codes, dtype=np.int32)
        return cls(checked, np.bincount(checked + 1, minlength=n_groups + 1)[1:])

    def of_sides(self, tests: Int) -> Int:
        """Observations in the group and in the reference of every test, shape ``(n_tests, 2)``."""
        group, reference = np.asarray(tests, np.intp).reshape(-1, 2).T
        n = self.sizes
        rest = n.sum() - n[group]
        return np.column_stack([n[group], np.where(reference == REST, rest, n[reference])])


def _require_shape(shape: tuple[int, ...], n_obs: int) -> None:
    if shape != (n_obs,):
        message = f"codes has shape {shape}; {n_obs} observations need ({n_obs},)."
        raise InputError(message)
