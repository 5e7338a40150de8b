"""Values of observations and genes as kernels read them: gene first, a gene contiguous."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dex.errors import InputError

if TYPE_CHECKING:
    from dex.typing import Float


def by_gene(values: Float | None, n_obs: int, n_vars: int) -> Float:
    """Return values per observation, or per observation and gene, as ``(1 or n_vars, n_obs)``.

    None is 1 everywhere, as weights are that nobody gave.

    Raises
    ------
    InputError
        If they are neither.
    """
    if values is None:
        return np.ones((1, n_obs))
    values = np.asarray(values, dtype=np.float64)
    if values.shape == (1,):
        return np.full((1, n_obs), values[0])
    if values.shape == (n_obs,):
        return np.ascontiguousarray(values[None])
    if values.shape == (n_obs, n_vars):
        return np.ascontiguousarray(values.T)
    msg = f"values of shape {values.shape} belong neither to {n_obs} observations nor to counts."
    raise InputError(msg)


def gene_first(values: Float) -> Float:
    """Values ``(n_obs, n_vars)`` as ``(n_vars, n_obs)``; a copy unless in Fortran order."""
    return np.ascontiguousarray(np.asarray(values, dtype=np.float64).T)


def of_every_gene(values: Float | float, n_vars: int) -> Float:
    """One value of all genes, or one of each, as ``(n_vars,)``, of its own memory.

    A kernel would be compiled anew for a view.
    """
    return np.array(np.broadcast_to(np.asarray(values, dtype=np.float64), (n_vars,)))
