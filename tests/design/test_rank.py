import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dex.design import rank as rank_module
from dex.design.rank import estimable_columns

ROUNDING = 1e-9
"""Of a dependence between well-conditioned columns."""


@given(seed=st.integers(0, 2**32 - 1), n_aliased=st.integers(0, 3))
def test_finds_the_columns_that_follow(seed, n_aliased):
    rng = np.random.default_rng(seed)
    base = rng.normal(size=(20, 4))
    weights = rng.integers(-3, 4, size=(4, n_aliased))
    matrix = np.hstack([base, base @ weights])
    rank = estimable_columns(matrix)
    assert rank.estimable.tolist() == [0, 1, 2, 3]
    assert rank.aliased.tolist() == list(range(4, 4 + n_aliased))
    np.testing.assert_allclose(rank.dependence, weights, atol=ROUNDING)


@given(
    seed=st.integers(0, 2**32 - 1), powers=st.lists(st.integers(-12, 12), min_size=6, max_size=6)
)
def test_units_do_not_matter(seed, powers):
    rng = np.random.default_rng(seed)
    base = rng.normal(size=(15, 4))
    matrix = np.column_stack([base, base[:, 0] - base[:, 2], base[:, 3] * 2])
    scaled = matrix * 10.0 ** np.array(powers)
    assert estimable_columns(scaled).estimable.tolist() == [0, 1, 2, 3]


def test_a_year_and_a_time_stamp_stay():
    ones = np.ones(8)
    years = np.array([2018.0, 2019, 2020, 2021] * 2)
    seconds = 1.7e9 + 3600.0 * np.arange(8) ** 2
    assert estimable_columns(np.column_stack([ones, years, seconds])).estimable.tolist() == [
        0,
        1,
        2,
    ]


@pytest.mark.parametrize("value", [1.0, 1e6, 0.0])
def test_a_constant_covariate_follows_from_the_intercept(value):
    rank = estimable_columns(np.column_stack([np.ones(5), np.full(5, value), np.arange(5.0)]))
    assert rank.estimable.tolist() == [0, 2]
    np.testing.assert_allclose(rank.dependence[:, 0], [value, 0], atol=ROUNDING)


def test_proportions_in_float32_that_sum_to_one():
    rng = np.random.default_rng(0)
    parts = rng.dirichlet([1, 2, 3], size=500).astype(np.float32).astype(np.float64)
    rank = estimable_columns(np.column_stack([np.ones(500), parts]))
    assert rank.aliased.tolist() == [3]


def test_more_columns_than_rows():
    assert estimable_columns(np.eye(2, 5)).estimable.tolist() == [0, 1]


def without_fast_path(matrix, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(rank_module, "_clearly_independent", lambda *_: False)
        return estimable_columns(matrix)


@pytest.mark.parametrize("left", 10.0 ** -np.arange(1.0, 13.0))
@pytest.mark.parametrize("seed", range(3))
def test_the_fast_path_changes_no_answer(left, seed, monkeypatch):
    rng = np.random.default_rng(seed)
    matrix = rng.normal(size=(200, 8))
    matrix[:, 6] = matrix[:, :4] @ rng.normal(size=4) + left * matrix[:, 6]
    matrix *= 10.0 ** rng.integers(-9, 9, size=8)
    quick, full = estimable_columns(matrix), without_fast_path(matrix, monkeypatch)
    np.testing.assert_array_equal(quick.estimable, full.estimable)
    np.testing.assert_array_equal(quick.aliased, full.aliased)
    np.testing.assert_array_equal(quick.dependence, full.dependence)


@pytest.mark.parametrize("angle", [1.2, 0.6, 0.2])
def test_columns_whose_pivots_hide_how_dependent_they_are(angle, monkeypatch):
    # Kahan's triangle, the known trap for a rank read off the pivots
    sine, cosine, n = np.sin(angle), np.cos(angle), 40
    kahan = np.diag(sine ** np.arange(n)) @ (np.eye(n) - cosine * np.triu(np.ones((n, n)), 1))
    quick, full = estimable_columns(kahan), without_fast_path(kahan, monkeypatch)
    np.testing.assert_array_equal(quick.estimable, full.estimable)


def test_many_levels_take_no_factorisation_of_all_observations(monkeypatch):
    codes = np.resize(np.arange(300), 3000)
    matrix = np.column_stack([np.ones(3000), codes[:, None] == np.arange(1, 300)])
    monkeypatch.setattr(np.linalg, "qr", None)
    assert estimable_columns(matrix).estimable.tolist() == list(range(300))
