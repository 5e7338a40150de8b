"""Tests against a fold change threshold: the null is that the effect is at most so large."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dex.stats.tails import log10_pval_against, t_log10_pval

if TYPE_CHECKING:
    from dex.typing import Alternative, Float


@dataclass(frozen=True, slots=True)
class TreatTest:
    """Tests of ``|estimate| <= threshold``, or of one side; fields of the estimates' shape."""

    stat: Float
    """The distance from the threshold in standard errors, 0 within it, with the effect's sign; of
    one side, the estimate less the threshold of that side. NaN where the standard error is 0."""
    log10_pval: Float
    """log10 of the p-value."""


def treat_test(
    estimate: Float,
    se: Float,
    df: Float,
    *,
    threshold: float,
    alternative: Alternative = "two-sided",
) -> TreatTest:
    """Test relative to a threshold [McCarthy2009]_: t statistics, the null at its worst case.

    Parameters
    ----------
    estimate, se, df
        Effects, their standard errors and degrees of freedom, of one shape.
    threshold
        Largest absolute effect under the null, in the estimates' unit; at 0 it is the t test.
    alternative
        ``"greater"``: the effect is above ``threshold``; ``"less"``: it is below ``-threshold``.

    References
    ----------
    .. [McCarthy2009] McCarthy & Smyth (2009), Bioinformatics 25:765-771, eq. 3.

    Examples
    --------
    >>> test = treat_test(np.array([2.0]), np.array([0.5]), np.array([8.0]), threshold=1.0)
    >>> test.stat.item(), round(10 ** test.log10_pval.item(), 6)
    (2.0, 0.04042)
    """
    se = np.where(se > 0, se, np.nan)
    if alternative != "two-sided":
        side = 1 if alternative == "greater" else -1
        stat = (estimate - side * threshold) / se
        return TreatTest(stat, _log10_tail(stat, df, alternative))
    size = np.abs(estimate)
    near, far = (size - threshold) / se, (size + threshold) / se
    tails = (_log10_tail(stat, df, "greater") * np.log(10) for stat in (near, far))
    with np.errstate(invalid="ignore"):  # logaddexp warns of NaN
        log10_pval = np.logaddexp(*tails) / np.log(10)
    return TreatTest(np.sign(estimate) * np.maximum(near, 0), log10_pval)


def _log10_tail(stat: Float, df: Float, alternative: Alternative) -> Float:
    return log10_pval_against(alternative, stat=stat, two_sided=t_log10_pval(stat, df))
