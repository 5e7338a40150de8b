"""Wald tests of effects against zero, above a threshold, or within it [Wald1943]_, [Love2014]_."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from dex.stats.tails import log10_pval_against, normal_log10_pval, t_log10_pval

if TYPE_CHECKING:
    from dex.typing import Float

WaldAlternative = Literal["two-sided", "greater", "less", "within"]
_LN10 = float(np.log(10.0))


@dataclass(frozen=True, slots=True)
class WaldTest:
    """Fields of the estimates' shape."""

    stat: Float
    """Standard errors from zero of two-sided tests; else from the threshold, 0 where the estimate
    is on its other side."""
    log10_pval: Float


def wald_test(
    estimate: Float,
    se: Float,
    *,
    threshold: float = 0.0,
    alternative: WaldAlternative = "two-sided",
    df: float | None = None,
) -> WaldTest:
    """Test effects by their standard errors.

    Parameters
    ----------
    estimate, se
        Of one shape.
    threshold
        In the unit of the estimates.
    alternative
        ``"two-sided"``: the effect is larger than the threshold in size, p at the null's worst
        case, an effect of the threshold; ``"greater"``: above it; ``"less"``: below its negative;
        ``"within"``: smaller in size.
    df
        Degrees of freedom of t; without them the normal distribution is used.

    References
    ----------
    .. [Wald1943] Wald A (1943). Tests of statistical hypotheses concerning several parameters when
       the number of observations is large. Transactions of the AMS 54, 426-482.
    .. [Love2014] Love MI, Huber W, Anders S (2014). Moderated estimation of fold change and
       dispersion for RNA-seq data with DESeq2. Genome Biology 15, 550. "Specific range of effect".

    Examples
    --------
    >>> test = wald_test(np.array([2.0, 0.1]), np.array([0.5, 0.5]), threshold=1.0)
    >>> test.stat.tolist(), (10**test.log10_pval).round(4).tolist()
    ([4.0, 0.2], [0.0228, 0.978])
    """
    se = np.where(se > 0, se, np.nan)
    if alternative == "two-sided":
        size = np.abs(estimate)
        near, far = (_upper((size + t) / se, df) * _LN10 for t in (-threshold, threshold))
        with np.errstate(invalid="ignore"):  # logaddexp warns of NaN
            log10_pval = np.minimum(np.logaddexp(near, far) / _LN10, 0.0)
        return WaldTest(estimate / se, log10_pval)
    if alternative == "within":
        above, below = (threshold - estimate) / se, (estimate + threshold) / se
        nearest = np.minimum(above, below)
        return WaldTest(np.maximum(nearest, 0), _upper(nearest, df))
    side = 1 if alternative == "greater" else -1
    z = (side * estimate - threshold) / se
    return WaldTest(side * np.maximum(z, 0), _upper(z, df))


def _upper(z: Float, df: float | None) -> Float:
    """log10 of the upper tail."""
    two_sided = normal_log10_pval(z) if df is None else t_log10_pval(z, np.full(z.shape, df))
    return log10_pval_against("greater", stat=z, two_sided=two_sided)
