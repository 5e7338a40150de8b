"""Sets of positions, over-representation, univariate models and overlaps."""

import numpy as np
import pytest
from scipy import stats

from dex.errors import InputError
from dex.stats.gene_sets import SetIndex
from dex.stats.overrepresentation import overrepresentation_log10_pval
from dex.stats.quadratic_tail import rotation_log10_pval
from dex.stats.set_overlap import overlap_coefficients, representatives
from dex.stats.t_zscores import z_of_t
from dex.stats.univariate_model import ulm_test

DIGITS = 1e-9
HILL = 6e-4  # the error of the closed form at 3 degrees of freedom and t of 6


@pytest.fixture
def sets():
    return SetIndex.of([[4, 0, 2], [1], [], [0, 2, 5]], 6)


def test_sums_and_subsets(sets):
    values = np.arange(6.0)
    assert sets.sums(values).tolist() == [6, 1, 0, 7]
    genes = np.array([True, False, True, True, True, False])
    some = sets.among(genes)
    assert some.n_vars == 4
    assert some.sums(values[genes]).tolist() == [6, 0, 0, 2]
    taken = sets.take(np.array([False, True, False, True]))
    assert [taken[i].tolist() for i in range(2)] == [[1], [0, 2, 5]]


def test_wrong_positions_are_refused():
    with pytest.raises(InputError, match="there are 3 genes"):
        SetIndex.of([[0, 3]], 3)
    with pytest.raises(InputError, match="gene at -2"):
        SetIndex.of([[-2, 1]], 3)
    with pytest.raises(InputError, match="twice"):
        SetIndex.of([[1, 1]], 3)


def test_overrepresentation_is_the_hypergeometric_tail():
    rng = np.random.default_rng(0)
    for _ in range(50):
        universe = int(rng.integers(20, 5000))
        size, chosen = rng.integers(1, universe + 1, 2)
        overlap = rng.integers(max(0, size + chosen - universe), min(size, chosen) + 1)
        found = overrepresentation_log10_pval([overlap], [size], int(chosen), universe)[0]
        expected = stats.hypergeom.sf(overlap - 1, universe, size, chosen)
        if expected > 1e-280:
            assert found == pytest.approx(np.log10(expected), abs=1e-7, rel=1e-9)


def test_overrepresentation_beyond_underflow():
    found = overrepresentation_log10_pval([2000], [2000], 2000, 20_000)[0]
    assert found < -2000
    exact = -sum(np.log10((20_000 - i) / (2000 - i)) for i in range(2000))
    assert found == pytest.approx(exact, rel=DIGITS)
    assert overrepresentation_log10_pval([0], [5], 0, 100).tolist() == [0.0]


def test_ulm_is_a_regression(sets):
    y = np.array([3.0, 2, 0, -1, 0.5, 1])
    test = ulm_test(y, sets)
    for i in (0, 1, 3):
        x = np.zeros(6)
        x[sets[i]] = 1
        line = stats.linregress(x, y)
        assert test.stat[i] == pytest.approx(line.slope / line.stderr, rel=DIGITS)
        assert 10 ** test.log10_pval[i] == pytest.approx(line.pvalue, rel=1e-7)
    assert np.isnan(test.stat[2])


def test_ulm_weighs(sets):
    y = np.array([3.0, 2, 0, -1, 0.5, 1])
    weights = np.arange(1.0, 8)  # of 4, 0, 2; 1; 0, 2, 5
    x = np.zeros(6)
    x[[4, 0, 2]] = [1, 2, 3]
    line = stats.linregress(x, y)
    assert ulm_test(y, sets, weights=weights).stat[0] == pytest.approx(line.slope / line.stderr)


def test_ulm_of_all_genes_is_no_test():
    """There is no slope on a constant; rounding made its p 0."""
    y = np.random.default_rng(0).normal(size=200)
    sets = SetIndex.of([np.arange(200), np.arange(20)], 200)
    assert np.isnan(ulm_test(y, sets).log10_pval).tolist() == [True, False]


def test_ulm_does_not_underflow():
    y = np.concatenate([np.full(500, 10.0), np.zeros(20_000)]) + np.tile([0.1, -0.1], 10_250)
    found = ulm_test(y, SetIndex.of([np.arange(500)], len(y)))
    assert -1e6 < found.log10_pval[0] < -400


def test_z_scores_have_the_tail_of_t():
    t = np.linspace(-6, 6, 25)
    for df in (3.0, 8.0, 40.0):
        np.testing.assert_allclose(z_of_t(t, df), stats.norm.ppf(stats.t.cdf(t, df)), atol=HILL)
    np.testing.assert_array_equal(z_of_t(t, np.inf), t)


def test_overlaps_give_representatives(sets):
    assert overlap_coefficients(sets, np.array([0])).round(3).tolist() == [[1, 0, 0, 0.667]]
    assert representatives(sets, np.array([3, 0, 1, 2])).tolist() == [3, 1, 2, 3]
    assert representatives(sets, np.array([0, 3])).tolist() == [0, 1, 2, 0]
    assert representatives(sets, np.array([0, 3]), similarity=0.7).tolist() == [0, 1, 2, 3]


def test_rotation_tail_of_one_axis_is_a_beta():
    weights = np.array([[4.0, 0, 0, 0, 0, 0]])
    for share in (0.05, 0.2, 0.6, 0.9):
        exact = stats.beta.sf(share, 0.5, 2.5)
        assert 10 ** rotation_log10_pval(weights, np.array([4 * share]))[0] == pytest.approx(
            exact, rel=0.15
        )


def test_rotation_tail_at_its_ends():
    weights = np.array([[3.0, 2.0, 1.0]])
    assert rotation_log10_pval(weights, np.array([3.0]))[0] == -np.inf
    assert rotation_log10_pval(weights, np.array([1.0]))[0] == 0
    near = [rotation_log10_pval(weights, np.array([2 + e]))[0] for e in (-1e-3, 0, 1e-3)]
    assert np.ptp(near) < 2e-3
    assert near[0] > near[1] > near[2]
