"""Student's and Welch's t tests and their analyses of variance, every gene at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dex.stats.moments import GroupMoments, TwoSamples, group_moments, two_samples
from dex.stats.tails import f_log10_pval, t_log10_pval, t_quantile

if TYPE_CHECKING:
    from dex.typing import Float, Int


@dataclass(frozen=True, slots=True)
class TTest:
    """t tests, gene by test; every field has shape ``(n_vars, n_tests)``.

    Where nothing varies, or where there are too few observations for a variance, all but
    ``mean_diff`` is NaN (``mean_diff_se`` is 0 where nothing varies).
    """

    mean_diff: Float
    """Mean of the group minus mean of the reference; NaN only where a side is empty."""
    mean_diff_se: Float
    """Standard error of ``mean_diff``."""
    stat: Float
    """t, ``mean_diff / mean_diff_se``."""
    df: Float
    """Degrees of freedom."""
    log10_pval: Float
    """log10 of the two-sided p-value."""
    cohens_d: Float
    """``mean_diff`` over the pooled standard deviation, of the differences where they are paired;
    infinite where the means differ and nothing varies."""

    @property
    def half_width(self) -> Float:
        """Of the 95% confidence interval of ``mean_diff``; NaN where there is no test."""
        return t_quantile(0.975, self.df) * self.mean_diff_se


@dataclass(frozen=True, slots=True)
class OmnibusTest:
    """F tests of any difference among the groups; every field has shape ``(n_vars,)``."""

    stat: Float
    """F; NaN where nothing varies within the groups."""
    df_num: Float
    """Degrees of freedom of the numerator."""
    df_den: Float
    """Degrees of freedom of the denominator."""
    log10_pval: Float
    """log10 of the p-value."""


def welch_t_test(moments: GroupMoments, tests: Int) -> TTest:
    """Compare means without the assumption of equal variances [Welch1947]_.

    Parameters
    ----------
    moments
        Moments of all groups, from :func:`dex.stats.moments.group_moments`.
    tests
        Rows (group, reference), shape ``(n_tests, 2)``; reference ``REST`` is everybody else.

    Returns
    -------
    TTest. It needs two observations on each side; one side may be constant.

    References
    ----------
    .. [Welch1947] Welch (1947), Biometrika 34:28-35; the degrees of freedom are Satterthwaite's
       (1946), Biometrics Bulletin 2:110-114.

    Examples
    --------
    >>> values = np.array([[1.0], [2.0], [3.0], [5.0], [9.0]])
    >>> moments = group_moments(values, np.array([0, 0, 0, 1, 1]), 2)
    >>> test = welch_t_test(moments, np.array([[1, 0]]))
    >>> test.mean_diff.item(), round(test.stat.item(), 6), round(test.df.item(), 6)
    (5.0, 2.401922, 1.16955)
    """
    sides = two_samples(moments, tests)
    with np.errstate(divide="ignore", invalid="ignore"):
        group, reference = (side.var / side.n for side in (sides.group, sides.reference))
        share = group / (group + reference)
        inverse_df = share**2 / (sides.group.n - 1) + (1 - share) ** 2 / (sides.reference.n - 1)
        se, df = np.sqrt(group + reference), 1 / inverse_df
    return _t_test(sides.mean_diff, se, df, np.sqrt(_pooled_var(sides)))


def student_t_test(moments: GroupMoments, tests: Int) -> TTest:
    """Compare means under one variance for both sides [Student1908]_.

    Parameters
    ----------
    moments, tests
        As in :func:`welch_t_test`. The variance is pooled over the two sides of each test only.

    Returns
    -------
    TTest. It needs three observations, at least one on each side.

    References
    ----------
    .. [Student1908] Student (1908), Biometrika 6:1-25.
    """
    sides = two_samples(moments, tests)
    df = np.broadcast_to(_pooled_df(sides), moments.mean.shape[:1] + sides.group.n.shape)
    var = _pooled_var(sides)
    with np.errstate(divide="ignore", invalid="ignore"):
        se = np.sqrt(var * (1 / sides.group.n + 1 / sides.reference.n))
    return _t_test(sides.mean_diff, se, df, np.sqrt(var))


def paired_t_test(values: Float, pairs: Int) -> TTest:
    """Compare means within pairs: one test of the mean difference against zero [Student1908]_.

    Parameters
    ----------
    values
        Shape ``(n_obs, n_vars)``.
    pairs
        Rows of ``values`` (in the group, in the reference), shape ``(n_pairs, 2)``.

    Returns
    -------
    TTest with one test. It needs two pairs.

    Examples
    --------
    >>> values = np.array([[2.0], [1.0], [5.0], [2.0]])
    >>> test = paired_t_test(values, np.array([[0, 1], [2, 3]]))
    >>> test.mean_diff.item(), test.stat.item(), test.df.item()
    (2.0, 2.0, 1.0)
    """
    group, reference = np.asarray(pairs, np.intp).reshape(-1, 2).T
    differences = np.subtract(values[group], values[reference], dtype=np.float64)
    moments = group_moments(differences, np.zeros(len(group), np.intp), 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        se = np.sqrt(moments.var / moments.n)
    df = np.full(se.shape, len(group) - 1 if len(group) > 1 else np.nan)
    return _t_test(moments.mean + moments.mean_low, se, df, np.sqrt(moments.var))


def anova(moments: GroupMoments) -> OmnibusTest:
    """Test whether any group's mean differs, under one variance for all: the classical F test.

    Groups without observations take no part. It needs two groups and one observation more than
    groups, and something that varies within a group; else F and p are NaN.
    """
    full = moments.take(np.flatnonzero(moments.n))
    n_groups, df_den = len(full.n), full.n.sum() - len(full.n)
    if n_groups < 2 or df_den < 1:
        return _no_omnibus(len(moments.mean))
    deviation = _centred_means(full, np.broadcast_to(full.n / full.n.sum(), full.mean.shape))
    between = (full.n * deviation**2).sum(axis=1) / (n_groups - 1)
    within = full.sum_sq.sum(axis=1) / df_den
    return _f_test(between, within, n_groups - 1.0, np.full(len(within), float(df_den)))


def welch_anova(moments: GroupMoments) -> OmnibusTest:
    """Test whether any group's mean differs, each group with its own variance [Welch1951]_.

    Groups without observations take no part. A group of one has no variance and could only be left
    out of the hypothesis in silence, so that then every F and p is NaN.

    A gene may be constant in one group, such as a marker that is zero there: F is then its limit
    as that group's variance goes to zero, which is finite. Several such groups share the weight in
    proportion to their sizes; F is NaN if their constants differ, or if no group varies.

    References
    ----------
    .. [Welch1951] Welch (1951), Biometrika 38:330-336.
    """
    full = moments.take(np.flatnonzero(moments.n))
    k = len(full.n)
    if k < 2 or full.n.min() < 2:
        return _no_omnibus(len(moments.mean))
    fixed = full.sum_sq == 0
    with np.errstate(divide="ignore"):
        precision = np.where(fixed, 0.0, full.n / full.var)
    weight = np.where(fixed.any(axis=1, keepdims=True), fixed * full.n, precision)
    share = weight / weight.sum(axis=1, keepdims=True)
    deviation = _centred_means(full, share)
    spread = ((1 - share) ** 2 / (full.n - 1)).sum(axis=1)
    between = (precision * deviation**2).sum(axis=1) / (k - 1)
    undefined = fixed.all(axis=1) | (fixed & (deviation != 0)).any(axis=1)
    within = np.where(undefined, np.nan, 1 + 2 * (k - 2) / (k**2 - 1) * spread)
    return _f_test(between, within, k - 1.0, (k**2 - 1) / (3 * spread))


def _pooled_df(sides: TwoSamples) -> Float:
    """Degrees of freedom of the pooled variance, ``(n_tests,)``; NaN where there are none."""
    df = sides.group.n + sides.reference.n - 2.0
    one_each = np.minimum(sides.group.n, sides.reference.n) > 0
    return np.where((df > 0) & one_each, df, np.nan)


def _pooled_var(sides: TwoSamples) -> Float:
    """Variance within the two sides of a test, ``(n_vars, n_tests)``."""
    with np.errstate(invalid="ignore"):
        var: Float = (sides.group.sum_sq + sides.reference.sum_sq) / _pooled_df(sides)
    return var


def cohens_d(moments: GroupMoments, tests: Int) -> Float:
    """Difference of means over the pooled standard deviation, ``(n_vars, n_tests)`` [Cohen1988]_.

    Infinite where the means differ and nothing varies; NaN where nothing differs either, and with
    fewer than three observations.

    References
    ----------
    .. [Cohen1988] Cohen (1988), Statistical power analysis for the behavioral sciences, eq. 2.5.1.

    Examples
    --------
    >>> moments = group_moments(np.array([[1.0], [3.0], [6.0], [8.0]]), np.array([0, 0, 1, 1]), 2)
    >>> round(cohens_d(moments, np.array([[1, 0]])).item(), 6)
    3.535534
    """
    sides = two_samples(moments, tests)
    return _standardised(sides.mean_diff, np.sqrt(_pooled_var(sides)))


def _standardised(mean_diff: Float, sd: Float) -> Float:
    with np.errstate(divide="ignore", invalid="ignore"):
        d: Float = mean_diff / sd
    return d


def _t_test(mean_diff: Float, se: Float, df: Float, sd: Float) -> TTest:
    varies = se > 0
    stat = np.divide(mean_diff, se, out=np.full(se.shape, np.nan), where=varies)
    df = np.where(varies, df, np.nan)
    d = _standardised(mean_diff, sd)
    return TTest(mean_diff, se, stat, df, t_log10_pval(stat, df), d)


def _centred_means(moments: GroupMoments, share: Float) -> Float:
    """Group means minus their weighted mean; ``share`` sums to 1 over the groups."""
    # A group's mean is subtracted first: means that agree in their leading digits keep the others.
    start = np.take_along_axis(moments.mean, share.argmax(axis=1)[:, None], axis=1)
    low = np.take_along_axis(moments.mean_low, share.argmax(axis=1)[:, None], axis=1)
    delta = (moments.mean - start) + (moments.mean_low - low)
    centred: Float = delta - (share * delta).sum(axis=1, keepdims=True)
    return centred


def _f_test(between: Float, within: Float, df_num: float, df_den: Float) -> OmnibusTest:
    varies = within > 0
    stat = np.divide(between, within, out=np.full(within.shape, np.nan), where=varies)
    degrees = np.full(within.shape, df_num), np.where(varies, df_den, np.nan)
    return OmnibusTest(stat, *degrees, f_log10_pval(stat, *degrees))


def _no_omnibus(n_vars: int) -> OmnibusTest:
    """No gene can be tested."""
    nothing = np.full(n_vars, np.nan)
    return OmnibusTest(nothing, nothing, nothing, nothing)
