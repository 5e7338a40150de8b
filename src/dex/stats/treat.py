"""Tests against a fold change threshold: the null is that the effect is at most so large."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dex.stats.tails import t_log10_pval

if TYPE_CHECKING:
    from dex.typing import Float

_LOG10_2 = float(np.log10(2))


@dataclass(frozen=True, slots=True)
class TreatTest:
    """Tests of ``|estimate| <= threshold``, every field of the estimates' shape."""

    stat: Float
    """The distance from the threshold in standard errors, 0 within it, with the effect's sign; NaN
    where the standard error is 0."""
    log10_pval: Float
    """log10 of the p-value."""


def treat_test(estimate: Float, se: Float, df: Float, *, threshold: float) -> TreatTest:
    """Test relative to a threshold [McCarthy2009]_: t statistics, the null at its worst case.

    Parameters
    ----------
    estimate, se, df
        Effects, their standard errors and degrees of freedom, of one shape.
    threshold
        Largest absolute effect under the null, in the estimates' unit; at 0 it is the t test.

    References
    ----------
    .. [McCarthy2009] McCarthy & Smyth (2009), Bioinformatics 25:765-771, eq. 3.

    Examples
    --------
    >>> test = treat_test(np.array([2.0]), np.array([0.5]), np.array([8.0]), threshold=1.0)
    >>> test.stat.item(), round(10 ** test.log10_pval.item(), 6)
    (2.0, 0.04042)
    """
    size, se = np.abs(estimate), np.where(se > 0, se, np.nan)
    near, far = (size - threshold) / se, (size + threshold) / se
    with np.errstate(invalid="ignore"):  # logaddexp warns of NaN
        upper_tails = np.logaddexp(_ln_upper_tail(near, df), _ln_upper_tail(far, df))
    return TreatTest(np.sign(estimate) * np.maximum(near, 0), upper_tails / np.log(10))


def _ln_upper_tail(stat: Float, df: Float) -> Float:
    """Log P(T > stat): half of the two-sided p, or one minus that below zero."""
    half = (t_log10_pval(stat, df) - _LOG10_2) * np.log(10)
    tail: Float = np.where(stat >= 0, half, np.log1p(-np.exp(half)))
    return tail
