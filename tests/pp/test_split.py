from __future__ import annotations

import anndata as ad
import numpy as np
import pytest
from scipy import sparse

import dex
from dex.errors import InputError


@pytest.fixture
def cells():
    return dex.datasets.simulate_counts(60, 2, cells_per_replicate=30, mean_count=3, seed=1)


def test_parts_add_up_and_dense_is_sparse(cells):
    dense = cells.copy()
    dense.X = dense.X.toarray()
    dex.pp.split_counts(cells, 0.3, seed=4)
    dex.pp.split_counts(dense, 0.3, seed=4)
    train, test = cells.layers["split_train"], cells.layers["split_test"]
    np.testing.assert_array_equal((train + test).toarray(), cells.X.toarray())
    np.testing.assert_array_equal(dense.layers["split_train"], train.toarray())
    assert abs(train.sum() / cells.X.sum() - 0.3) < 0.02
    assert isinstance(dense.layers["split_test"], np.ndarray)
    record = cells.uns["dex_layers"]["split_train"]
    assert record["scale"] == "counts"
    assert (record["fraction"], record["seed"]) == (0.3, 4)


@pytest.mark.parametrize("dispersion", [None, 0.5])
def test_parts_are_independent(dispersion):
    """Within 4 standard errors of a correlation of 0; binomial thirds of the latter are not."""
    rng = np.random.default_rng(0)
    n, mean = 20_000, 8.0
    rate = mean if dispersion is None else rng.gamma(1 / dispersion, dispersion * mean, (n, 1))
    adata = ad.AnnData(sparse.csr_matrix(rng.poisson(rate, (n, 1)).astype(float)))
    adata.var["spread"] = dispersion or 0.0
    dex.pp.split_counts(adata, dispersion="spread")
    parts = [adata.layers[f"split_{part}"].toarray()[:, 0] for part in ("train", "test")]
    assert abs(np.corrcoef(*parts)[0, 1]) < 4 / np.sqrt(n)
    if dispersion is not None:
        for part in parts:
            expected = part.mean() + 2 * dispersion * part.mean() ** 2
            assert part.var() == pytest.approx(expected, rel=0.1)
        dex.pp.split_counts(adata)
        parts = [adata.layers[f"split_{part}"].toarray()[:, 0] for part in ("train", "test")]
        assert np.corrcoef(*parts)[0, 1] > 0.3


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"fraction": 1}, "fraction=1 is not between"),
        ({"dispersion": -1}, "is negative"),
        ({"dispersion": np.inf}, "infinite"),
        ({"dispersion": "spread"}, "is no numeric column"),
        ({"layer": "logs"}, "logs"),
        ({"key_added": "mine"}, "not made by dex"),
    ],
)
def test_what_cannot_be_is_refused(cells, options, words):
    cells.layers["mine_test"] = cells.X.copy()
    cells.layers["logs"] = np.log1p(cells.X)
    with pytest.raises(InputError, match=words):
        dex.pp.split_counts(cells, **options)
    assert "dex_layers" not in cells.uns


def test_part_counts_are_refused(cells):
    cells.X = cells.X * 0.5
    with pytest.raises(InputError):
        dex.pp.split_counts(cells)
