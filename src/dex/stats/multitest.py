"""Adjustment of p-values for many tests, in log10 so that nothing underflows.

The methods are those of ``statsmodels.stats.multitest.multipletests``, with its numbers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, get_args

import numpy as np

from dex._numba import kernel
from dex.errors import InputError
from dex.stats.step_up import step_up_many

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike

    from dex.typing import Float

Scope = Literal["test", "global"]

_LN10 = float(np.log(10.0))
_TESTS_AT_A_TIME = 64  # a test's p-values lie far apart in memory
_MANY = 4_000_000
"""From so many p-values on it pays to compile a loop for them."""
_SMALL = 1e-8
"""Below it, the first two terms of a series in p are exact to double precision."""


def adjust_log10_pval(
    log10_pval: ArrayLike, method: str = "fdr_bh", *, alpha: float = 0.05
) -> Float:
    """Adjust p-values for the number of tests.

    Parameters
    ----------
    log10_pval
        log10 of the p-values, shape ``(n,)``; minus infinity is legal. NaN stays NaN and is not
        counted as a test.
    method
        One of :data:`METHODS`.
    alpha
        Level of the first stage of ``fdr_tsbh`` and ``fdr_tsbky``, whose result is right for
        this level only; the other methods do not use it.

    Returns
    -------
    log10 of the adjusted p-values, shape ``(n,)``.

    Raises
    ------
    InputError
        If the method is not known, or a p-value or alpha is not a probability.

    Examples
    --------
    >>> adjust_log10_pval([-400.0, -2.0, float("nan"), -0.1]).round(3).tolist()
    [-399.523, -1.824, nan, -0.1]
    """
    log_p = np.asarray(log10_pval, dtype=np.float64)
    _check(log_p, method, alpha)
    out = np.full(log_p.shape, np.nan)
    tested = np.flatnonzero(~np.isnan(log_p))
    if tested.size:
        ascending = tested[np.argsort(log_p[tested])]
        out[ascending] = np.minimum(_ADJUST[method](log_p[ascending], alpha), 0.0)
    return out


def adjust_columns(
    log10_pval: Float, method: str = "fdr_bh", *, scope: Scope = "test", alpha: float = 0.05
) -> Float:
    """Adjust the p-values of several tests of the same genes.

    Parameters
    ----------
    log10_pval
        log10 of the p-values, shape ``(n_vars, n_tests)``.
    method, alpha
        As in :func:`adjust_log10_pval`.
    scope
        ``test`` adjusts over the genes of each test, ``global`` over all genes and tests together.

    Returns
    -------
    log10 of the adjusted p-values, shape ``(n_vars, n_tests)``.

    Raises
    ------
    InputError
        If ``scope``, the method, a p-value or alpha is not possible.
    """
    if scope not in get_args(Scope):
        msg = f"padj_scope={scope!r} is not known; choose 'test' or 'global'."
        raise InputError(msg)
    if scope == "global":
        flat = adjust_log10_pval(log10_pval.ravel(), method, alpha=alpha)
        return flat.reshape(log10_pval.shape)
    out = np.empty(log10_pval.shape)
    many = method == "fdr_bh" and log10_pval.size >= _MANY
    for first in range(0, log10_pval.shape[1], _TESTS_AT_A_TIME):
        tests = slice(first, first + _TESTS_AT_A_TIME)
        by_test = log10_pval[:, tests].T.copy()
        if many:
            _check_values(by_test)
            by_test = step_up_many(by_test)
        else:
            for row in by_test:
                row[:] = adjust_log10_pval(row, method, alpha=alpha)
        out[:, tests] = by_test.T
    return out


def _check(log_p: Float, method: str, alpha: float) -> None:
    if method not in _ADJUST:
        choices = ", ".join(repr(name) for name in METHODS)
        msg = f"padj_method={method!r} is not known; choose one of {choices}."
        raise InputError(msg)
    if not 0 < alpha < 1:
        msg = f"alpha={alpha!r} is not a level; give a number between 0 and 1, such as 0.05."
        raise InputError(msg)
    if log_p.ndim != 1:
        msg = f"p-values of shape {log_p.shape} are not one list; use adjust_columns for a table."
        raise InputError(msg)
    _check_values(log_p)


def _check_values(log_p: Float) -> None:
    if (log_p > 0).any():
        msg = (
            f"log10_pval has {log_p[log_p > 0][0]:.6g}, a p-value above 1; give log10 of p-values."
        )
        raise InputError(msg)


# Below, `log_p` is log10 p, ascending; the caller cuts results at 1 and restores the order.


def _ranks(log_p: Float) -> Float:
    return np.arange(1.0, log_p.size + 1)


def _step_down(log_adjusted: Float) -> Float:
    return np.maximum.accumulate(log_adjusted)


def _step_up(log_adjusted: Float) -> Float:
    return np.minimum.accumulate(log_adjusted[::-1])[::-1]


def _bonferroni(log_p: Float, _alpha: float) -> Float:
    return np.asarray(log_p + np.log10(log_p.size))


def _sidak(log_p: Float, _alpha: float) -> Float:
    return _log_any_of(log_p, np.full(log_p.size, float(log_p.size)))


def _holm_sidak(log_p: Float, _alpha: float) -> Float:
    return _step_down(_log_any_of(log_p, _ranks(log_p)[::-1]))


def _holm(log_p: Float, _alpha: float) -> Float:
    return _step_down(log_p + np.log10(_ranks(log_p)[::-1]))


def _simes_hochberg(log_p: Float, _alpha: float) -> Float:
    return _step_up(log_p + np.log10(_ranks(log_p)[::-1]))


def _fdr_bh(log_p: Float, _alpha: float) -> Float:
    return _step_up(log_p + (np.log10(log_p.size) - np.log10(_ranks(log_p))))


def _fdr_by(log_p: Float, alpha: float) -> Float:
    return np.asarray(_fdr_bh(log_p, alpha) + np.log10(np.sum(1 / _ranks(log_p))))


def _fdr_tsbh(log_p: Float, alpha: float) -> Float:
    return _two_stage(log_p, alpha)


def _fdr_tsbky(log_p: Float, alpha: float) -> Float:
    """Benjamini, Krieger & Yekutieli 2006, definition 6."""
    return np.asarray(_two_stage(log_p, alpha / (1 + alpha)) + np.log10(1 + alpha))


def _two_stage(log_p: Float, alpha: float) -> Float:
    """BH with the number of true nulls replaced by the number that BH does not reject."""
    adjusted = np.minimum(_fdr_bh(log_p, alpha), 0.0)
    below = np.flatnonzero(log_p <= np.log10(_ranks(log_p) / log_p.size * alpha))
    rejected = below[-1] + 1 if below.size else 0
    if rejected in {0, log_p.size}:
        return adjusted
    return np.asarray(adjusted + np.log10((log_p.size - rejected) / log_p.size))


def _fdr_gbs(log_p: Float, _alpha: float) -> Float:
    """Gavrilov, Benjamini & Sarkar 2009."""
    ranks = _ranks(log_p)
    with np.errstate(divide="ignore"):  # p = 1: cut at 1
        log_odds = log_p - np.log1p(-(10.0**log_p)) / _LN10
    return _step_down(np.log10((log_p.size + 1 - ranks) / ranks) + log_odds)


def _log_any_of(log_p: Float, n: Float) -> Float:
    """log10 of 1 - (1 - p)^n, the chance that any of ``n`` independent p-values is below p."""
    p = 10.0**log_p
    moderate = (p > _SMALL) & (p < 1)
    ratio = np.where(p < 1, 1 + p / 2, np.inf)  # -log(1 - p) / p
    ratio[moderate] = -np.log1p(-p[moderate]) / p[moderate]
    log_u = np.log10(n) + log_p + np.log10(ratio)
    u = 10.0**log_u
    small, large = np.minimum(u, _SMALL), np.maximum(u, _SMALL)
    return np.where(u < _SMALL, log_u - small / 2 / _LN10, np.log10(-np.expm1(-large)))


def _hommel(log_p: Float, _alpha: float) -> Float:
    """Hommel 1988, through the jumps of h(alpha) (Meijer, Krebs & Goeman 2019).

    ``h(alpha)`` is the largest number of hypotheses that Simes' test at alpha cannot reject
    together, and p is rejected where ``h(alpha) p <= alpha``. ``h`` falls below i at
    ``jump[i]``, so the adjusted p is the smallest ``max(i p, jump[i + 1])``.
    """
    n = log_p.size
    simes = _log_simes_of_largest(log_p, np.log10(np.arange(1.0, n + 1)))
    jump = np.append(np.maximum.accumulate(simes[::-1])[::-1], -np.inf)  # jump[i] is of i + 1
    log_i = np.log10(np.arange(1.0, n + 1))
    crossing = np.minimum(np.searchsorted(log_i - jump[1:], -log_p), n - 1)
    return np.asarray(np.minimum(log_i[crossing] + log_p, jump[crossing]))


@kernel
def _log_simes_of_largest(log_p: Float, log_rank: Float) -> Float:
    """log10 of Simes' p of the i + 1 largest p-values: the least (i + 1) p_k / (k - n + i + 1).

    With m = n - i - 1 p-values left out, the best k does not fall as m grows, because
    ``log p_k - log(k - m)`` is a Monge array: k is searched between the ones found for
    neighbours of m, level by level, in O(n log n) together.
    """
    n = log_p.size
    best = np.zeros(n, dtype=np.int64)
    least = np.zeros(n)
    step = 1
    while step < n:
        step *= 2
    while step >= 1:
        for m in range(step - 1, n, 2 * step):
            low = max(m, best[m - step] if m >= step else 0)
            high = best[m + step] if m + step < n else n - 1
            best[m] = low
            least[m] = np.inf
            for k in range(low, high + 1):
                value = log_p[k] - log_rank[k - m]
                if value < least[m]:
                    least[m] = value
                    best[m] = k
        step //= 2
    return least[::-1] + log_rank


_ADJUST: Final[dict[str, Callable[[Float, float], Float]]] = {
    "bonferroni": _bonferroni,
    "sidak": _sidak,
    "holm-sidak": _holm_sidak,
    "holm": _holm,
    "simes-hochberg": _simes_hochberg,
    "hommel": _hommel,
    "fdr_bh": _fdr_bh,
    "fdr_by": _fdr_by,
    "fdr_tsbh": _fdr_tsbh,
    "fdr_tsbky": _fdr_tsbky,
    "fdr_gbs": _fdr_gbs,
}
METHODS: Final[tuple[str, ...]] = tuple(_ADJUST)
"""Names of the adjustments, as in statsmodels."""
