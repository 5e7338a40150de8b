from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dex.errors import InputError
from dex.stats import principal_components as module
from dex.stats.principal_components import leading_signs, most_variable, principal_components

REFERENCE = Path(__file__).parents[1] / "reference" / "ordination"
R_RTOL = 1e-8
"""R's prcomp is a singular value decomposition; ours squares its condition, which is small here."""
ORDER = {"rtol": 1e-10, "atol": 1e-11}
"""Sums in another order, of components well apart."""
N_TOP = 200


def reference(name):
    return pd.read_csv(REFERENCE / f"{name}.csv", index_col=0)


@pytest.fixture
def logs():
    return reference("values").to_numpy().T


@pytest.fixture
def rng():
    return np.random.default_rng(5)


@pytest.mark.parametrize("name", ["pca", "pca_scaled"])
def test_equals_prcomp(logs, name):
    table = reference("values")
    variance = logs.var(axis=0, ddof=1)
    chosen = most_variable(variance, N_TOP)
    values = logs[:, chosen]
    if name == "pca_scaled":
        values = values / np.sqrt(variance[chosen])
    found = principal_components(values, 9)
    expected = reference(f"{name}_variance")
    np.testing.assert_allclose(found.variance, expected["variance"], rtol=R_RTOL)
    np.testing.assert_allclose(found.variance_ratio, expected["ratio"], rtol=R_RTOL)
    rotation = reference(f"{name}_rotation").loc[table.index[chosen]].to_numpy()
    scores = reference(f"{name}_x").to_numpy()
    signs = leading_signs(rotation)
    np.testing.assert_allclose(found.loadings[:, :3], rotation * signs, atol=R_RTOL)
    np.testing.assert_allclose(found.scores[:, :3], scores[:, :3] * signs, atol=R_RTOL)
    np.testing.assert_allclose(np.abs(found.scores), np.abs(scores), atol=R_RTOL)


@pytest.mark.parametrize("shape", [(7, 40), (40, 7), (20, 20), (2, 3)])
def test_equals_the_singular_value_decomposition(rng, shape):
    values = rng.normal(3, 1, shape) * rng.uniform(0.2, 3, shape[1])
    possible = min(shape[0] - 1, shape[1])
    found = principal_components(values, 50)
    U, d, Vt = np.linalg.svd(values - values.mean(axis=0), full_matrices=False)
    signs = leading_signs(Vt.T[:, :possible])
    np.testing.assert_allclose(found.loadings, Vt.T[:, :possible] * signs, **ORDER)
    np.testing.assert_allclose(found.scores, (U * d)[:, :possible] * signs, **ORDER)
    np.testing.assert_allclose(found.total_variance, values.var(axis=0, ddof=1).sum(), rtol=1e-13)
    np.testing.assert_allclose(found.variance_ratio.sum(), 1, rtol=1e-12)


def test_iterations_find_the_same(rng, monkeypatch):
    values = rng.normal(0, 1, (60, 80)) + np.outer(rng.normal(size=60), rng.normal(size=80))
    exact = principal_components(values, 5)
    monkeypatch.setattr(module, "_LARGEST_GRAM", 10)
    iterated = principal_components(values, 5)
    np.testing.assert_allclose(iterated.scores, exact.scores, **ORDER)
    np.testing.assert_allclose(iterated.loadings, exact.loadings, **ORDER)
    np.testing.assert_array_equal(principal_components(values, 5).scores, iterated.scores)


def test_a_lower_rank_gives_fewer_components(rng, monkeypatch):
    values = rng.normal(size=(30, 2)) @ rng.normal(size=(2, 25)) + 4
    assert principal_components(values, 10).scores.shape == (30, 2)
    assert principal_components(values.T, 10).scores.shape == (25, 2)
    monkeypatch.setattr(module, "_LARGEST_GRAM", 10)
    assert principal_components(values, 10).scores.shape == (30, 2)


def test_reconstructs_the_values(rng):
    values = rng.normal(size=(6, 4))
    found = principal_components(values, 4)
    centred = values - values.mean(axis=0)
    np.testing.assert_allclose(found.scores @ found.loadings.T, centred, atol=1e-13)


def test_values_stay_unless_they_may_be_overwritten(rng):
    values = rng.normal(5, 1, (6, 4))
    before = values.copy()
    kept = principal_components(values, 2)
    np.testing.assert_array_equal(values, before)
    overwritten = principal_components(values, 2, overwrite=True)
    np.testing.assert_array_equal(overwritten.scores, kept.scores)
    assert not np.array_equal(values, before)


def test_the_largest_loading_is_positive(rng):
    found = principal_components(rng.normal(size=(9, 30)), 8)
    largest = np.abs(found.loadings).argmax(axis=0)
    assert (found.loadings[largest, range(8)] > 0).all()


def test_most_variable_leaves_out_constants_and_takes_the_first_of_equals():
    variance = np.array([2.0, 0.0, 5.0, 2.0, 2.0])
    assert most_variable(variance, None).tolist() == [0, 2, 3, 4]
    assert most_variable(variance, 3).tolist() == [0, 2, 3]
    assert most_variable(variance, 99).tolist() == [0, 2, 3, 4]


def test_too_little_is_refused():
    with pytest.raises(InputError, match="there is 1 observation"):
        principal_components(np.ones((1, 3)), 2)
    with pytest.raises(InputError, match="same values"):
        principal_components(np.full((5, 3), 0.1), 2)
