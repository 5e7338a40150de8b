"""Areas, their variances and intervals."""

import numpy as np
import pytest
from scipy.stats import mannwhitneyu
from sklearn.metrics import average_precision_score, roc_auc_score

from dex.stats.auc import (
    area_variance,
    clustered_variance,
    logit_interval,
    placements,
    score_interval,
)
from dex.stats.roc import average_precision, precision_recall_curve, reliability, roc_curve


@pytest.fixture
def scored():
    rng = np.random.default_rng(3)
    is_group = rng.random(60) < 0.3
    return np.round(rng.normal(size=60) + is_group, 1), is_group  # with ties


def test_placements_average_to_the_area(scored):
    score, is_group = scored
    of_group, of_reference = placements(score[is_group], score[~is_group])
    expected = roc_auc_score(is_group, score)
    assert of_group.mean() == pytest.approx(expected, abs=1e-12)
    assert of_reference.mean() == pytest.approx(expected, abs=1e-12)


def test_curves_enclose_what_scikit_learn_says(scored):
    score, is_group = scored
    curve = roc_curve(score, is_group)
    assert np.trapezoid(curve.y, curve.x) == pytest.approx(roc_auc_score(is_group, score))
    assert average_precision(score, is_group) == pytest.approx(
        average_precision_score(is_group, score)
    )
    assert precision_recall_curve(score, is_group).y[-1] == pytest.approx(is_group.mean())


def test_variance_at_a_half_is_that_of_wilcoxons_statistic():
    for m, n in ((4, 4), (10, 10), (30, 30)):
        assert area_variance(0.5, m, n) == pytest.approx((m + n + 1) / (12 * m * n))


def test_clustered_variance_of_single_observations_is_delongs(scored):
    score, is_group = scored
    of_group, of_reference = placements(score[is_group], score[~is_group])
    auc, influence = of_group.mean(), np.empty(60)
    influence[is_group] = (of_group - auc) / len(of_group)
    influence[~is_group] = (of_reference - auc) / len(of_reference)
    delong = of_group.var(ddof=1) / len(of_group) + of_reference.var(ddof=1) / len(of_reference)
    # Both are consistent; they count degrees of freedom differently.
    assert clustered_variance(influence, np.arange(60)) == pytest.approx(delong, rel=0.05)
    twice = clustered_variance(np.repeat(influence, 2) / 2, np.repeat(np.arange(60), 2))
    assert twice == pytest.approx(clustered_variance(influence, np.arange(60)))


def test_interval_holds_the_area_and_narrows_with_donors():
    widths = []
    for n in (4, 10, 40):
        for auc in (0.0, 0.3, 0.5, 0.9, 1.0):
            low, high = score_interval(auc, n, n)
            assert 0 <= low <= auc <= high <= 1
        widths.append(np.diff(score_interval(0.7, n, n))[0])
    assert widths[0] > widths[1] > widths[2]
    low, high = score_interval(0.7, 10, 10, inflation=2)
    assert low < score_interval(0.7, 10, 10)[0]
    assert high > score_interval(0.7, 10, 10)[1]


def test_interval_is_the_same_from_either_side():
    low, high = score_interval(0.8, 6, 9)
    other = score_interval(0.2, 9, 6)
    assert (1 - other[1], 1 - other[0]) == pytest.approx((low, high), abs=1e-6)


def test_score_interval_covers():
    """Given scores of 8 and 8: the nominal 95% within four standard errors of 400 draws."""
    rng = np.random.default_rng(0)
    covered = 0
    true = 0.7602499389065233  # of a shift by one standard deviation
    for _ in range(400):
        a, b = rng.normal(size=8), rng.normal(size=8) + 1
        low, high = score_interval(mannwhitneyu(b, a).statistic / 64, 8, 8)
        covered += low <= true <= high
    assert covered / 400 > 0.95 - 4 * np.sqrt(0.05 * 0.95 / 400)


def test_logit_interval_has_ends_where_there_is_no_variance():
    low, high = logit_interval(1.0, 0.0, 5, n_pairs=36)
    assert 0.5 < low < 1
    assert high == 1.0
    assert logit_interval(0.7, float("nan"), 0, n_pairs=4) == (0.0, 1.0)


def test_bins_hold_everybody_once():
    rng = np.random.default_rng(0)
    p = rng.random(103)
    bins = reliability(p, rng.random(103) < p, n_bins=10)
    assert bins.n.sum() == 103
    assert bins.n.max() - bins.n.min() <= 1
    assert (np.diff(bins.predicted) > 0).all()
