from __future__ import annotations

import anndata as ad
import numpy as np
import pytest
from scipy import sparse
from sklearn.metrics import adjusted_rand_score

import dex
from dex.errors import InputError

TRUTH = np.repeat([0, 1, 2, -1], (30, 20, 15, 85))


def logs(values) -> ad.AnnData:
    adata = ad.AnnData(np.asarray(values, dtype=np.float64))
    adata.uns["dex_layers"] = {"X": {"scale": "log2"}}
    return adata


@pytest.fixture
def planted() -> ad.AnnData:
    """Thirty observations; three modules of 30, 20 and 15 genes, and 85 genes in none."""
    rng = np.random.default_rng(1)
    values = rng.normal(size=(30, 150))
    factors = rng.normal(size=(30, 3))
    for i in range(3):
        values[:, i == TRUTH] += 1.5 * factors[:, [i]]
    adata = logs(10 + values * rng.uniform(0.2, 2, 150))
    adata.obsm["factors"] = factors
    return adata


def test_planted_modules_come_back(planted):
    dex.tl.modules(planted)
    codes = planted.var["modules_module"].cat.codes.to_numpy()
    assert adjusted_rand_score(TRUTH, codes) > 0.9
    assert planted.uns["modules"]["modules"].tolist() == ["M1", "M2", "M3"]
    eigen = dex.get.eigengenes_df(planted).to_numpy()
    r = np.corrcoef(eigen.T, planted.obsm["factors"].T)[:3, 3:]
    assert (np.diag(r) > 0.9).all()


def test_membership_is_the_correlation_with_the_eigengene(planted):
    dex.tl.modules(planted)
    membership = planted.varm["modules_membership"]
    eigen = planted.obsm["modules_eigengenes"]
    expected = np.corrcoef(planted.X[:, 7], eigen[:, 1])[0, 1]
    assert membership[7, 1] == pytest.approx(expected)
    table = dex.get.modules_df(planted)
    hubs = table.groupby("module")["connectivity"].first()
    assert (hubs == table.groupby("module")["connectivity"].max()).all()
    assert table["membership"].min() > 0.4
    assert len(table) == planted.uns["modules"]["sizes"].sum()


def test_noise_has_no_modules():
    """A module is found in 5% of data sets by design: in 20 at most 4 (p = 0.003 of more)."""
    found = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        adata = logs(10 + rng.normal(size=(12, 100)) * rng.uniform(0.2, 2, 100))
        dex.tl.modules(adata, seed=seed)
        found += len(adata.uns["modules"]["modules"]) > 0
    assert found <= 4


def test_without_modules_all_is_still_there(tmp_path):
    adata = logs(10 + np.random.default_rng(0).normal(size=(12, 60)))
    dex.tl.modules(adata, n_null=40)
    adata.write_h5ad(tmp_path / "a.h5ad")
    back = ad.read_h5ad(tmp_path / "a.h5ad")
    assert dex.get.modules_df(back).empty
    assert dex.get.eigengenes_df(back).shape == (12, 0)
    with pytest.raises(InputError, match="no genes rise and fall together"):
        dex.pl.modules(back)


def test_threads_order_and_storage_change_nothing(planted):
    one, two = planted.copy(), planted.copy()
    two.X = sparse.csc_matrix(two.X)
    dex.tl.modules(one, n_threads=1, seed=2)
    dex.tl.modules(two, n_threads=2, seed=2)
    assert one.var["modules_module"].equals(two.var["modules_module"])
    np.testing.assert_array_equal(one.obsm["modules_eigengenes"], two.obsm["modules_eigengenes"])


def test_survives_a_file_and_an_earlier_result_goes(planted, tmp_path):
    dex.tl.modules(planted)
    planted.write_h5ad(tmp_path / "a.h5ad")
    back = ad.read_h5ad(tmp_path / "a.h5ad")
    assert dex.get.modules_df(back).equals(dex.get.modules_df(planted))
    dex.tl.modules(planted, min_size=25, correlation="spearman", n_top_genes=100)
    assert planted.obsm["modules_eigengenes"].shape[1] == len(planted.uns["modules"]["modules"])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"correlation": "kendall"}, "correlation='kendall' is not known"),
        ({"merge": 2}, "merge=2 is no correlation"),
        ({"power": 0}, "power=0 is not between"),
        ({"min_size": 2}, "min_size=2 is not a whole number of at least 3"),
    ],
)
def test_what_cannot_be_is_refused(planted, options, words):
    with pytest.raises(InputError, match=words):
        dex.tl.modules(planted, **options)
    assert "modules" not in planted.uns
    with pytest.raises(InputError, match="5 observations are too few"):
        dex.tl.modules(planted[:5].copy())


def test_the_picture_has_the_eigengenes(planted):
    planted.obs["group"] = np.where(planted.obsm["factors"][:, 0] > 0, "high", "low")
    dex.tl.modules(planted)
    ax = dex.pl.modules(planted, "group")
    names = [tick.get_text() for tick in ax.get_yticklabels()]
    sizes = planted.uns["modules"]["sizes"]
    assert sorted(names) == [f"M{i + 1} ({sizes[i]})" for i in range(3)]
    drawn = np.asarray(ax.images[0].get_array())
    row = drawn[[name.startswith("M1 ") for name in names]][0]
    np.testing.assert_allclose(np.sort(row), np.sort(planted.obsm["modules_eigengenes"][:, 0]))
    n_high = (planted.obs["group"] == "high").sum()
    assert row[:n_high].mean() > row[n_high:].mean(), "columns are in the order of the groups"
