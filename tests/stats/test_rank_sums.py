"""Rank sums are those of midranks by definition, whatever is sorted and however."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from dex.stats import rank_order
from dex.stats import rank_sums as rank_sums_room
from dex.stats.rank_sums import rank_sums
from dex.stats.ranks import rank_sum_test
from dex.stats.sparse_genes import SparseGenes
from dex.typing import REST

U_RTOL = 1e-12  # of whole numbers divided
LOG10_ATOL = 1e-9  # the bound


@pytest.fixture
def rng():
    return np.random.default_rng(4)


def by_definition(values, codes, tests):
    """Doubled centred rank sums and N^3 - sum(t^3), gene by gene, in whole numbers."""
    deviation, untied = np.empty((2, values.shape[1], len(tests)))
    for t, (group, reference) in enumerate(tests):
        in_test = codes >= 0 if reference == REST else (codes == group) | (codes == reference)
        inside = codes[in_test] == group
        for j, gene in enumerate(values[in_test].T.astype(np.float64)):
            ranks = 2 * stats.rankdata(gene) - (len(gene) + 1)
            sizes = np.unique(gene, return_counts=True)[1].tolist()
            deviation[j, t] = ranks[inside].sum()
            untied[j, t] = len(gene) ** 3 - sum(size**3 for size in sizes)
    return deviation, untied


def assert_by_definition(values, codes, n_groups, tests, *, genes=None):
    sums = rank_sums(values if genes is None else genes, codes, n_groups, tests)
    deviation, untied = by_definition(values, codes, tests)
    np.testing.assert_array_equal(sums.deviation, deviation)
    np.testing.assert_array_equal(sums.untied, untied)


def kinds(rng, n_obs):
    """Values that take every way through the sort, ``(n_obs, n_genes)`` each."""
    shape = (n_obs, 3)
    zero = rng.random(shape) < 0.6
    counts = rng.poisson(2.0, shape)
    logs = np.where(zero, 0, np.log1p(rng.integers(1, 40, shape) / rng.gamma(5, 0.2, (n_obs, 1))))
    noise = np.where(zero, 0, 1e6 + rng.normal(size=shape))
    outlier = np.where(zero, 0, 1.0 + rng.integers(0, 99, shape) * 2.0**-50)
    outlier[0] = 1e30  # beside it, all others agree in their leading bits
    return {
        "counts": counts,
        "counts_f4": counts.astype(np.float32),
        "large_counts": counts * 10**9,
        "logs": logs,
        "logs_f4": logs.astype(np.float32),
        "signed_f4": np.where(zero, 0, rng.normal(size=shape)).astype(np.float32),
        "signed": np.where(zero, -0.0, rng.normal(size=shape)),
        "noise": noise,
        "outlier": outlier,
        "full": rng.normal(size=shape),
        "tied": np.full(shape, 2.5),
        "zero": np.zeros(shape),
    }


TESTS = {
    "rest": [[0, REST], [2, REST]],
    "reference": [[0, 3], [1, 3], [2, 3]],
    "pairs": [[0, 1], [2, 3], [1, 3]],
    "two_sides": [[1, 0]],
    "mixed": [[0, REST], [0, 1], [2, 1]],
}


@pytest.mark.parametrize("n_obs", [9, 150, 5000])
@pytest.mark.parametrize("tests", TESTS.values(), ids=TESTS)
def test_all_kinds_of_values_by_definition(rng, n_obs, tests):
    codes = rng.integers(-1, 4, n_obs)
    codes[:4] = range(4)
    for name, values in kinds(rng, n_obs).items():
        if n_obs < 5000 or name in {"logs", "logs_f4", "outlier"}:
            assert_by_definition(values, codes, 5, np.array(tests))  # the fifth group is empty


@given(
    values=hnp.arrays(
        st.sampled_from([np.float32, np.float64]),
        (12, 2),
        elements=st.one_of(
            st.sampled_from([0.0, -0.0, 1.0, -1.0, 0.5]),
            st.floats(allow_nan=False, allow_infinity=False, width=32),
        ),
    ),
    codes=hnp.arrays(np.intp, 12, elements=st.integers(-1, 3)),
    tests=st.sampled_from(list(TESTS.values())),
)
@settings(max_examples=60)
def test_any_values_by_definition(values, codes, tests):
    assert_by_definition(values, codes, 4, np.array(tests))


@given(
    background=st.sampled_from([-1.5, 0.0, 2.0]),
    values=hnp.arrays(np.float64, (9, 2), elements=st.sampled_from([-2.0, -1.5, 0.0, 1.0, 2.0])),
    codes=hnp.arrays(np.intp, 9, elements=st.integers(-1, 2)),
)
@settings(max_examples=40)
def test_any_background_listed_or_not(background, values, codes):
    listed = SparseGenes.from_dense(values - background)
    genes = SparseGenes(
        listed.starts, listed.rows, listed.values + background, len(values), background
    )
    np.testing.assert_array_equal(genes.to_dense(), values)
    tests = np.array([[0, REST], [1, 2]])
    assert_by_definition(values, codes, 3, tests, genes=genes)
    full = (np.array([0, 9, 18]), np.tile(np.arange(9, dtype=np.int32), 2), values.T.ravel())
    assert_by_definition(values, codes, 3, tests, genes=SparseGenes(*full, 9, background))


def test_float32_and_float64_of_the_same_values_agree(rng):
    for values in kinds(rng, 200).values():
        single, codes = values.astype(np.float32), rng.integers(0, 3, 200)
        tests = np.array([[0, REST], [1, 2]])
        for a, b in zip(
            *(rank_sum_test(v, codes, 3, tests).stat for v in (single, single.astype(float))),
            strict=True,
        ):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("tests", [TESTS["reference"], TESTS["two_sides"]])
def test_more_observations_than_cubes_fit_whole_numbers(rng, monkeypatch, tests):
    monkeypatch.setattr(rank_sums_room, "_LARGEST_WHOLE", 0)
    codes = rng.integers(0, 4, 150)
    codes[:4] = range(4)
    for values in kinds(rng, 150).values():
        assert_by_definition(values, codes, 4, np.array(tests))  # floats are exact up to 2^53


@pytest.mark.parametrize("n_obs", [60, 3000])
def test_values_that_agree_in_all_but_their_last_bits(rng, n_obs):
    """Also on both sides of zero, where the bits of floats turn over."""
    step = rng.integers(0, 60, (n_obs, 2)).astype(np.int32)
    near = (np.float32(1.5).view(np.int32) + step).view(np.float32)
    near[0] = [1e30, -1e30]
    tiny = np.where(rng.random(step.shape) < 0.5, -1, 1) * step.view(np.float32)  # denormal
    tiny[0] = [1e30, 0.0]
    codes = rng.integers(0, 3, n_obs)
    for values in (near, tiny.astype(np.float32)):
        assert_by_definition(values, codes, 3, np.array([[0, REST], [1, REST]]))
        assert_by_definition(values, codes, 3, np.array([[0, 2], [1, 2]]))


def test_counts_of_either_sign(rng):
    codes, counts = rng.integers(-1, 3, 400), rng.integers(-3, 4, (400, 4))
    for tests in TESTS["two_sides"], [[0, 2], [1, 2]], [[0, REST], [2, REST]]:
        for dtype in (np.float32, np.float64):
            assert_by_definition(counts.astype(dtype), codes, 3, np.array(tests))


def test_sorted_words_of_long_runs(rng):
    """Values that agree in the bits sorted first are put in order too, also if they are many."""
    order = rng.permutation(3000)
    values = (1.0 + order * 2.0**-52)[:, None]
    values[0] = 1e30
    assert rank_order._LEADING_BITS < 32
    assert_by_definition(values, rng.integers(0, 2, 3000), 2, np.array([[0, 1]]))


def test_tests_are_scipys(rng):
    """Also where a group is compared with a reference that others share."""
    codes = rng.integers(0, 4, 400)
    for values in kinds(rng, 400).values():
        test = rank_sum_test(values, codes, 4, np.array(TESTS["reference"]))
        for t, (group, reference) in enumerate(TESTS["reference"]):
            a, b = (values[codes == g].astype(float) for g in (group, reference))
            u = stats.mannwhitneyu(a, b, method="asymptotic", use_continuity=False)
            pairs = len(a) * len(b)
            np.testing.assert_allclose(test.auc[:, t] * pairs, u.statistic, rtol=U_RTOL)
            varies = np.ptp(np.vstack([a, b]), axis=0) > 0
            log10_pval = test.log10_pval[:, t]
            assert np.isnan(log10_pval[~varies]).all()
            np.testing.assert_allclose(
                log10_pval[varies], np.log10(u.pvalue[varies]), rtol=0, atol=LOG10_ATOL
            )
