from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import squareform

from dex.stats import leading_fold_change as module
from dex.stats.leading_fold_change import (
    classical_scaling,
    common_distances,
    leading_distances_from,
)
from dex.stats.principal_components import leading_signs, most_variable

REFERENCE = Path(__file__).parents[1] / "reference" / "ordination"
R_TOL = 1e-8
"""Eigenvectors of 10 x 10 matrices of another LAPACK; they agree to about 1e-13."""
N_TOP = 200


def reference(name):
    return pd.read_csv(REFERENCE / f"{name}.csv", index_col=0)


@pytest.fixture
def logs():
    return np.ascontiguousarray(reference("values").to_numpy().T)


@pytest.fixture
def rng():
    return np.random.default_rng(6)


def pairwise(values, n_top):
    rows = [leading_distances_from(values, i, n_top) for i in range(len(values) - 1)]
    return squareform(np.concatenate(rows))


def limma_distances(selection):
    """limma keeps the doubly centred squares."""
    centred = reference(f"mds_{selection}_centred").to_numpy()
    own = np.diag(centred) / 2
    squares = centred - own - own[:, None]
    return np.sqrt(np.maximum(squares, 0))


@pytest.mark.parametrize("selection", ["pairwise", "common"])
def test_equals_limma(logs, selection):
    if selection == "pairwise":
        distances = pairwise(logs, N_TOP)
    else:
        distances = common_distances(logs[:, most_variable(logs.var(axis=0), N_TOP)])
    np.testing.assert_allclose(distances, limma_distances(selection), atol=R_TOL)
    scaling = classical_scaling(distances, 2)
    expected = reference(f"mds_{selection}")
    points = expected[["x", "y"]].to_numpy()
    np.testing.assert_allclose(scaling.points, points * leading_signs(points), atol=R_TOL)
    np.testing.assert_allclose(scaling.variance_ratio, expected["ratio"], atol=R_TOL)


@pytest.mark.parametrize("n_top", [1, 7, 30, 99])
def test_distances_by_sorting(rng, n_top, monkeypatch):
    monkeypatch.setattr(module, "_CHUNK_VALUES", 70)  # two observations at a time
    values = rng.normal(size=(9, 30))
    expected = np.zeros((9, 9))
    for i in range(9):
        for j in range(9):
            largest = np.sort((values[i] - values[j]) ** 2)[::-1][:n_top]
            expected[i, j] = np.sqrt(largest.mean())
    np.testing.assert_allclose(pairwise(values, n_top), expected, rtol=1e-13)


def test_all_genes_are_common_genes(rng):
    values = rng.normal(size=(6, 20))
    np.testing.assert_allclose(pairwise(values, 20), common_distances(values), rtol=1e-13)


def test_values_are_not_changed(rng):
    values = rng.normal(size=(6, 20))
    before = values.copy()
    pairwise(values, 5)
    np.testing.assert_array_equal(values, before)


def test_euclidean_distances_are_kept(rng):
    points = rng.normal(size=(12, 3))
    distances = squareform(np.linalg.norm(points[:, None] - points, axis=2), checks=False)
    distances = squareform(distances)
    scaling = classical_scaling(distances, 3)
    between = np.linalg.norm(scaling.points[:, None] - scaling.points, axis=2)
    np.testing.assert_allclose(between, distances, atol=1e-12)
    np.testing.assert_allclose(scaling.variance_ratio[:3].sum(), 1, rtol=1e-12)
    assert (np.diff(scaling.variance_ratio) <= 0).all()


def test_impossible_distances_have_no_negative_variance():
    distances = 1.0 - np.eye(3)
    distances[0, 1] = distances[1, 0] = 9.0  # the triangle inequality does not hold
    assert (classical_scaling(distances, 2).variance_ratio >= 0).all()
