"""Which genes have counts enough to be tested, by the rule of edgeR's ``filterByExpr``.

The rule is from Chen, Lun & Smyth (2016), F1000Research 5:1438, and edgeR's help page.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from dex.errors import InputError

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import ArrayLike

    from dex.typing import Bool, Float, Int

    Counts = Any  # a dense array or anything sparse of scipy's; their types share no base

_ROUNDING = 1e-10
"""A count or a number of samples this close to its bound reaches it."""


def filter_by_expr(
    counts: Counts,
    lib_sizes: ArrayLike,
    *,
    min_sample_size: float,
    min_count: float = 10.0,
    min_total_count: float = 15.0,
) -> Bool:
    """Find the genes with enough counts in enough observations.

    A gene is kept if it has at least the counts per million that are ``min_count`` counts in the
    library of median size, in at least ``min_sample_size`` observations, and a total of at least
    ``min_total_count``.

    Parameters
    ----------
    counts
        Dense or scipy sparse, shape ``(n_obs, n_vars)``; sparse counts are not made dense.
    lib_sizes
        Total counts of the observations, times their normalisation factors where there are any,
        shape ``(n_obs,)``. An observation of size 0 never has enough.
    min_sample_size
        As from :func:`min_sample_size`.
    min_count, min_total_count
        Bounds as above.

    Returns
    -------
    True for the genes to keep, shape ``(n_vars,)``.

    Raises
    ------
    InputError
        If ``counts`` and ``lib_sizes`` differ in their observations.

    Examples
    --------
    >>> counts = np.array([[20, 0, 9], [30, 1, 9], [25, 0, 9]])
    >>> filter_by_expr(counts, [1e6, 1e6, 1e6], min_sample_size=2).tolist()
    [True, False, False]
    """
    sizes = np.asarray(lib_sizes, dtype=np.float64)
    if sizes.shape != counts.shape[:1]:
        msg = f"{sizes.size} library sizes do not fit counts of {counts.shape[0]} observations."
        raise InputError(msg)
    with np.errstate(divide="ignore", invalid="ignore"):  # most observations are empty
        enough = min_count * (1 - _ROUNDING) * (sizes / np.median(sizes))
    enough[sizes == 0] = np.inf
    n_enough = _number_reaching(counts, enough)
    total = np.asarray(counts.sum(axis=0), dtype=np.float64).ravel()
    return np.asarray(
        (n_enough >= min_sample_size - _ROUNDING) & (total >= min_total_count - _ROUNDING)
    )


def min_sample_size(groups: Int | Float, *, large_n: float = 10.0, min_prop: float = 0.7) -> float:
    """Find the number of observations that a gene must be seen in to be of use for a design.

    Parameters
    ----------
    groups
        Either group codes, shape ``(n_obs,)``, negative where an observation is in no group: the
        size of the smallest group counts. Or a design matrix, shape ``(n_obs, n_coefs)``: the
        inverse of the largest leverage counts, which is the same for a design of groups. One
        group of all observations stands for no design at all.
    large_n, min_prop
        Of what is above ``large_n`` only the share ``min_prop`` counts.

    Returns
    -------
    The number, not rounded.

    Raises
    ------
    InputError
        If there is no group, or no column in the design.

    Examples
    --------
    >>> min_sample_size(np.array([0, 0, 0, 1, 1, 1, 1]))
    3.0
    >>> min_sample_size(np.repeat([0, 1], 30))
    24.0
    """
    smallest = (_smallest_group if np.ndim(groups) == 1 else _inverse_leverage)(groups)
    if smallest > large_n:
        return float(large_n + (smallest - large_n) * min_prop)
    return smallest


def _smallest_group(codes: Int | Float) -> float:
    sizes = np.bincount(np.asarray(codes[codes >= 0], dtype=np.intp))
    if not sizes.any():
        msg = "No observation is in a group, so no number of observations can be asked of a gene."
        raise InputError(msg)
    return float(sizes[sizes > 0].min())


def _inverse_leverage(design: Int | Float) -> float:
    if not design.size:
        msg = f"The design has shape {design.shape}; it needs an observation and a column."
        raise InputError(msg)
    length = np.sqrt(np.square(design).sum(axis=0))
    U, S, _ = np.linalg.svd(design / np.where(length > 0, length, 1.0), full_matrices=False)
    rank = S / S[0] > max(design.shape) * np.finfo(np.float64).eps
    return float(1.0 / np.square(U[:, rank]).sum(axis=1).max())


def _number_reaching(counts: Counts, enough: Float) -> Float:
    """Observations per gene with a count of at least ``enough`` (n_obs,), shape ``(n_vars,)``."""
    if isinstance(counts, np.ndarray):
        return np.asarray((counts >= enough[:, None]).sum(axis=0), dtype=np.float64)
    stored = sparse.coo_array(counts)
    reaches = np.asarray(stored.data >= enough[stored.row], dtype=np.float64)
    # Where nothing is asked, zeros reach it too, and those that are not stored are not below it.
    free = (enough <= 0)[stored.row]
    n_stored = np.bincount(stored.col, weights=reaches * ~free, minlength=counts.shape[1])
    return n_stored + float((enough <= 0).sum())
