"""Effects of pairs and their summaries, against loops over pairs by scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from dex.errors import InputError
from dex.stats.pairwise import Pairs, min_rank, pair_effects, summarise_pairs

CLOSE = {"rtol": 1e-12, "atol": 1e-13}
N_GROUPS = 4
SIZES = (12, 7, 9, 5)


@pytest.fixture
def values():
    """33 cells x 30 genes of small counts, many tied; group by group."""
    return np.random.default_rng(1).poisson(1.2, (sum(SIZES), 30)).astype(float)


CODES = np.repeat(np.arange(N_GROUPS), SIZES)
ONE = np.zeros(sum(SIZES), dtype=np.intp)


def expected(values, codes, g, h):
    """AUC - 1/2, Cohen's d by the mean variance, difference of fractions; by scipy and NumPy."""
    x, y = values[codes == g], values[codes == h]
    auc = stats.mannwhitneyu(x, y, axis=0).statistic / (len(x) * len(y))
    sd = np.sqrt((x.var(axis=0, ddof=1) + y.var(axis=0, ddof=1)) / 2)
    d = (x.mean(axis=0) - y.mean(axis=0)) / sd
    return auc - 0.5, d, (x > 0).mean(axis=0) - (y > 0).mean(axis=0)


def measure(values, pairs, *, codes=CODES, strata=ONE, abundance=True):
    return pair_effects(
        values,
        values if abundance else None,
        codes,
        pairs,
        n_groups=N_GROUPS,
        strata=strata,
    )


def test_every_pair_is_listed_once_and_found_from_both_sides():
    pairs = Pairs.of(np.arange(N_GROUPS), N_GROUPS)
    assert len(pairs.tests) == N_GROUPS * (N_GROUPS - 1) // 2
    for g in range(N_GROUPS):
        others = [h for h in range(N_GROUPS) if h != g]
        for k, h in enumerate(others):
            assert sorted(pairs.tests[pairs.place[g, k]]) == sorted([g, h])
            assert pairs.sign[g, k] == (1 if g < h else -1)


def test_effects_are_scipys_and_numpys(values):
    pairs = Pairs.of(np.arange(N_GROUPS), N_GROUPS)
    effects = measure(values, pairs)
    for i, (g, h) in enumerate(pairs.tests):
        auc, d, pct = expected(values, CODES, g, h)
        np.testing.assert_allclose(effects.auc_excess[:, i], auc, **CLOSE)
        np.testing.assert_allclose(effects.cohens_d[:, i], d, **CLOSE)
        np.testing.assert_allclose(effects.pct_diff[:, i], pct, **CLOSE)
    assert measure(values, pairs, abundance=False).pct_diff is None


def test_summaries_and_ranks_are_those_over_all_other_groups(values):
    pairs = Pairs.of(np.arange(N_GROUPS), N_GROUPS)
    effects = measure(values, pairs)
    for name in ("auc_excess", "cohens_d", "pct_diff"):
        summary = summarise_pairs(getattr(effects, name), pairs)
        place = ("auc_excess", "cohens_d", "pct_diff").index(name)
        for g in range(N_GROUPS):
            others = [h for h in range(N_GROUPS) if h != g]
            own = np.column_stack([expected(values, CODES, g, h)[place] for h in others])
            np.testing.assert_allclose(summary.min[:, g], own.min(axis=1), **CLOSE)
            np.testing.assert_allclose(summary.mean[:, g], own.mean(axis=1), **CLOSE)
            np.testing.assert_allclose(summary.median[:, g], np.median(own, axis=1), **CLOSE)
            np.testing.assert_allclose(summary.max[:, g], own.max(axis=1), **CLOSE)
            ranks = stats.rankdata(-np.round(own, 12), method="min", axis=0).min(axis=1)
            rounded = np.round(getattr(effects, name), 12)
            np.testing.assert_array_equal(min_rank(rounded, pairs, g), ranks)


def test_some_groups_are_scored_as_among_all(values):
    some, every = Pairs.of(np.array([2, 0]), N_GROUPS), Pairs.of(np.arange(N_GROUPS), N_GROUPS)
    assert len(some.tests) == 5
    few = summarise_pairs(measure(values, some).cohens_d, some)
    many = summarise_pairs(measure(values, every).cohens_d, every)
    np.testing.assert_array_equal(few.median, many.median[:, [2, 0]])


def test_strata_are_averaged_by_the_number_of_pairs_of_cells():
    values = np.random.default_rng(3).normal(size=(len(CODES), 30)).round(1)
    strata = np.arange(len(CODES)) % 2
    pairs = Pairs.of(np.arange(N_GROUPS), N_GROUPS)
    shifted = values + 3.0 * strata[:, None]
    effects = measure(shifted, pairs, strata=strata)
    for i, (g, h) in enumerate(pairs.tests):
        parts, weights = [], []
        for stratum in (0, 1):
            codes = np.where(strata == stratum, CODES, -1)
            parts.append(expected(shifted, codes, g, h)[:2])
            weights.append((codes == g).sum() * (codes == h).sum())
        auc, d = np.average(parts, axis=0, weights=weights)
        np.testing.assert_allclose(effects.auc_excess[:, i], auc, **CLOSE)
        np.testing.assert_allclose(effects.cohens_d[:, i], d, **CLOSE)


def test_a_pair_that_shares_no_stratum_is_left_out(values):
    strata = np.where(CODES == 3, 1, 0)
    pairs = Pairs.of(np.arange(N_GROUPS), N_GROUPS)
    effects = measure(values, pairs, strata=strata)
    alone = (pairs.tests == 3).any(axis=1)
    assert np.isnan(effects.auc_excess[:, alone]).all()
    assert np.isfinite(effects.auc_excess[:, ~alone]).all()
    summary = summarise_pairs(effects.auc_excess, pairs)
    three = Pairs.of(np.arange(3), 3)
    kept = CODES < 3
    without = pair_effects(values[kept], None, CODES[kept], three, n_groups=3, strata=ONE[kept])
    np.testing.assert_array_equal(
        summary.mean[:, :3], summarise_pairs(without.auc_excess, three).mean
    )
    assert np.isnan(summary.mean[:, 3]).all()
    assert np.isnan(min_rank(effects.auc_excess, pairs, 3)).all()


def test_a_variance_that_is_missing_or_zero():
    values = np.array([[1.0, 2.0, 2.0], [1.0, 0.0, 2.0], [3.0, 5.0, 2.0]])
    codes, pairs = np.array([0, 0, 1]), Pairs.of(np.array([0]), 2)
    one = np.zeros(3, dtype=np.intp)
    d = pair_effects(values, None, codes, pairs, n_groups=2, strata=one).cohens_d[:, 0]
    assert d.tolist() == [-np.inf, -4 / np.sqrt(2), 0.0]
    lone = pair_effects(values[1:], None, codes[1:], pairs, n_groups=2, strata=one[1:])
    assert np.isnan(lone.cohens_d).all()
    assert lone.auc_excess[:, 0].tolist() == [-0.5, -0.5, 0.0]


def test_strata_must_be_one_for_each_cell(values):
    with pytest.raises(InputError, match="strata has shape"):
        measure(values, Pairs.of(np.array([0]), N_GROUPS), strata=ONE[:-1])
