"""Genes chosen by our own tests, from training observations alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from scipy import sparse

from dex.stats.ebayes import squeeze_var
from dex.stats.ranks import kruskal_test, rank_sum_test

if TYPE_CHECKING:
    from dex.typing import Float, Int

Selector = Literal["limma", "t-test", "wilcoxon"]
SELECTORS: tuple[Selector, ...] = ("limma", "t-test", "wilcoxon")


@dataclass(frozen=True, slots=True)
class GroupSums:
    """Means of groups and squares within them."""

    n: Int
    """Observations, ``(n_groups,)``."""
    mean: Float
    """``(n_groups, n_vars)``."""
    within: Float
    """Sum of squares about the groups' own means, ``(n_vars,)``; 0 where constant."""

    @property
    def df(self) -> int:
        """Degrees of freedom within the groups."""
        return int(self.n.sum() - len(self.n))

    @property
    def between(self) -> Float:
        """Sum of squares of the groups' means about the mean of all, ``(n_vars,)``."""
        centre = self.n @ self.mean / self.n.sum()
        return np.asarray(self.n @ np.square(self.mean - centre), dtype=np.float64)


def unit_means(values: Any, units: Int) -> Float:
    """Means of the observations of every unit, codes from 0, shape ``(n_units, n_vars)``."""
    n = np.bincount(units)
    if len(n) == len(units):
        dense = values if isinstance(values, np.ndarray) else values.toarray()
        return np.asarray(dense[np.argsort(units)], dtype=np.float64)
    member = sparse.csr_matrix((1 / n[units], (units, np.arange(len(units)))))
    means: Any = member @ values
    return np.asarray(means if isinstance(means, np.ndarray) else means.toarray(), np.float64)


def group_sums(values: Float, codes: Int, n_groups: int) -> GroupSums:
    """Sums of dense values, ``(n_obs, n_vars)``, by two matrix products."""
    centred = values - values[0]  # a gene that is constant has sums of exactly 0
    n = np.bincount(codes, minlength=n_groups)
    member = np.zeros((n_groups, len(codes)))
    member[codes, np.arange(len(codes))] = 1 / n[codes]
    mean = member @ centred
    within = np.einsum("ij,ij->j", centred, centred) - n @ np.square(mean)
    return GroupSums(n, mean + values[0], np.maximum(within, 0.0))


def rank_by_test(values: Float, codes: Int, n_groups: int, *, by: Selector) -> Float:
    """Statistic of every gene, larger where groups differ more, shape ``(n_vars,)``; never NaN.

    ``"limma"`` is the moderated F of a one-way layout, ``"t-test"`` the classical F, which for two
    groups is the square of Student's t; ``"wilcoxon"`` the rank-sum test, or Kruskal & Wallis'.
    """
    if by == "wilcoxon":
        stat = _by_ranks(values, codes, n_groups)
    else:
        sums = group_sums(values, codes, n_groups)
        stat = f_statistic(
            sums.between, sums.within, n_groups - 1, sums.df, moderated=by == "limma"
        )
    return np.where(np.isnan(stat), -1.0, stat)


def rank_by_slope(values: Float, y: Float, *, moderated: bool) -> Float:
    """F of the slope of every gene along ``y``, shape ``(n_vars,)``; never NaN."""
    centred, x = values - values[0], y - y.mean()
    centred = centred - centred.mean(axis=0)
    total = np.einsum("ij,ij->j", centred, centred)
    explained = np.square(x @ centred) / max(float(x @ x), np.finfo(float).tiny)
    within = np.maximum(total - explained, 0.0)
    stat = f_statistic(explained, within, 1, len(y) - 2, moderated=moderated)
    return np.where(np.isnan(stat), -1.0, stat)


def f_statistic(between: Float, within: Float, df_num: int, df: int, *, moderated: bool) -> Float:
    """F against the variance within, or against that squeezed by all genes; NaN if nothing varies.

    Without degrees of freedom it is the mean square between.
    """
    varies = between + within > 1e-12 * max(float((between + within).max()), 1e-300)
    mean_square = between / max(df_num, 1)
    if df < 1:
        return np.where(varies, mean_square, np.nan)
    var = within / df
    if moderated and varies.sum() > 2:
        out = np.full(len(var), np.nan)
        out[varies] = mean_square[varies] / squeeze_var(var[varies], float(df)).var
        return out
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(varies, mean_square / var, np.nan)


def best_genes(stat: Float, n: int | None) -> Int:
    """Positions of the ``n`` largest statistics, best first; all of them if ``n`` is None."""
    if n is None or n >= len(stat):
        return np.argsort(-stat, kind="stable")
    chosen = np.argpartition(-stat, n - 1)[:n]
    return np.asarray(chosen[np.lexsort((chosen, -stat[chosen]))], dtype=np.intp)


def _by_ranks(values: Float, codes: Int, n_groups: int) -> Float:
    if n_groups > 2:
        stat = kruskal_test(values, codes, n_groups).stat
    else:
        test = rank_sum_test(values, codes, 2, np.array([[1, 0]]), exact=False)
        stat = np.abs(test.stat[:, 0])
    return np.where(values.min(axis=0) < values.max(axis=0), stat, np.nan)
