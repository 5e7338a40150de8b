from __future__ import annotations

import logging
import sys

import anndata as ad
import numpy as np
import pytest
from scipy import sparse
from sklearn.metrics import adjusted_rand_score

import dex
from dex.errors import InputError

FAST = {"n_null": 39, "n_resamples": 20}
"""So many draws reject at 5% with p = 1/40 or 2/40."""


def logs(values) -> ad.AnnData:
    adata = ad.AnnData(np.asarray(values, dtype=np.float64))
    adata.uns["dex_layers"] = {"X": {"scale": "log2"}}
    return adata


@pytest.fixture
def planted() -> ad.AnnData:
    """Counts of 3 x 8 samples; a tenth of 500 genes differs in each group, by 1.5 in log2 (sd)."""
    return dex.datasets.simulate_counts(500, 8, groups=("a", "b", "c"), log2fc_sd=1.5, seed=5)


@pytest.mark.parametrize("method", ["consensus", "kmeans", "hierarchical"])
@pytest.mark.parametrize("n_vars", [3, 200])
def test_uniform_noise_is_one_cluster(method, n_vars):
    """In at least 90% of the seeds; the test is at 5%, so that 20 seeds have 1 on average."""
    rejected = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        adata = logs(rng.uniform(2, 8, (30, n_vars)))
        dex.tl.cluster(adata, method=method, seed=seed, n_null=39, n_resamples=4, k_max=4)
        rejected += adata.uns["cluster"]["k"] > 1
        assert adata.obs["cluster"].nunique() == adata.uns["cluster"]["k"]
    assert rejected <= 2


def test_a_gradient_is_one_cluster():
    """A Gaussian null rejects it, and is there for those who ask."""
    rng = np.random.default_rng(1)
    stage = np.linspace(-3, 3, 50)
    adata = logs(6 + np.outer(stage, rng.normal(0, 0.3, 100)) + rng.normal(0, 0.2, (50, 100)))
    dex.tl.cluster(adata, method="kmeans", **FAST)
    assert adata.uns["cluster"]["k"] == 1
    dex.tl.cluster(adata, method="kmeans", null="gaussian", **FAST)
    assert adata.uns["cluster"]["k"] > 1


def test_noise_with_correlated_genes_is_one_cluster():
    """Under the Gaussian null too, which is exact there; permuted genes are not."""
    found = {"uniform": 0, "gaussian": 0, "permuted": 0}
    for seed in range(12):
        rng = np.random.default_rng(seed)
        shared = rng.normal(size=(30, 4)) @ rng.normal(size=(4, 60))
        adata = logs(20 + shared + rng.normal(0, 0.5, (30, 60)))
        for null in found:
            dex.tl.cluster(adata, method="kmeans", null=null, seed=seed, n_null=39, k_max=5)
            found[null] += adata.uns["cluster"]["k"] > 1
    assert found["uniform"] <= 2
    assert found["gaussian"] <= 3
    assert found["permuted"] >= 6


@pytest.mark.parametrize("method", ["consensus", "kmeans", "hierarchical"])
def test_planted_clusters_come_back(planted, method):
    dex.tl.cluster(planted, method=method, **FAST)
    assert planted.uns["cluster"]["k"] == 3
    assert planted.uns["cluster"]["pval"] == 1 / 40
    assert adjusted_rand_score(planted.obs["condition"], planted.obs["cluster"]) > 0.9


def test_consensus_says_how_sure(planted):
    dex.tl.cluster(planted, **FAST)
    consensus = dex.get.consensus_df(planted)
    assert consensus.index.equals(planted.obs_names)
    same = planted.obs["condition"].to_numpy()[:, None] == planted.obs["condition"].to_numpy()
    assert consensus.to_numpy()[same].mean() > 0.95
    assert consensus.to_numpy()[~same].mean() < 0.05
    assert planted.obs["cluster_stability"].min() > 0.8
    table = dex.get.gap_df(planted)
    assert table["k"].tolist() == list(range(1, 9))
    assert table.loc[table["chosen"], "k"].tolist() == [3]
    assert table["ambiguous"].to_numpy()[1:].argmin() == 1


def test_as_many_as_asked_for_but_with_a_warning(caplog):
    adata = logs(np.random.default_rng(0).normal(8, 1, (30, 50)))
    with caplog.at_level(logging.WARNING, logger="dex"):
        dex.tl.cluster(adata, 4, method="kmeans", **FAST)
    assert adata.obs["cluster"].nunique() == 4
    assert [record.getMessage() for record in caplog.records] == list(adata.uns["cluster"]["notes"])
    assert "one cluster would look the same" in caplog.text


def test_genes_are_clustered_by_how_they_rise_and_fall():
    rng = np.random.default_rng(2)
    factors = rng.normal(size=(20, 3))
    own = rng.normal(0, 0.3, (20, 60))
    spread = np.repeat([1.0, 9.0, 0.1], (30, 20, 10))  # which is not what genes are grouped by
    values = 50 + spread * (np.repeat(factors, (30, 20, 10), axis=1) + own)
    adata = logs(np.hstack([values, np.full((20, 3), 4.0)]))
    dex.tl.cluster(adata, method="kmeans", axis="var", key_added="genes", **FAST)
    labels = adata.var["genes"]
    assert labels.isna().to_numpy()[-3:].all()
    truth = np.repeat([0, 1, 2], (30, 20, 10))
    assert adjusted_rand_score(truth, labels.to_numpy()[:60].astype(str)) > 0.9
    assert labels.value_counts().tolist() == [30, 20, 10]
    noise = logs(rng.normal(size=(20, 60)) + 9)
    dex.tl.cluster(noise, method="kmeans", axis="var", **FAST)
    assert noise.uns["cluster"]["k"] == 1


def test_threads_change_nothing(planted):
    one, two = planted.copy(), planted.copy()
    dex.tl.cluster(one, n_threads=1, seed=3, **FAST)
    dex.tl.cluster(two, n_threads=2, seed=3, **FAST)
    assert one.obs["cluster"].tolist() == two.obs["cluster"].tolist()
    np.testing.assert_array_equal(one.obsp["cluster_consensus"], two.obsp["cluster_consensus"])
    for name in ("gap", "z", "expected", "pval"):
        np.testing.assert_array_equal(one.uns["cluster"][name], two.uns["cluster"][name])


def test_order_and_storage_change_nothing(planted):
    dex.tl.cluster(planted, **FAST)
    order = np.random.default_rng(0).permutation(planted.n_obs)
    other = planted[order, ::-1].copy()
    other.X = sparse.csr_matrix(other.X)
    dex.tl.cluster(other, **FAST)
    assert other.uns["cluster"]["k"] == 3
    assert adjusted_rand_score(planted.obs["cluster"].iloc[order], other.obs["cluster"]) == 1


@pytest.mark.filterwarnings("ignore:Writing zarr v2 data:UserWarning")  # anndata 0.12
@pytest.mark.parametrize("suffix", ["h5ad", "zarr"])
def test_survives_a_file(planted, tmp_path, suffix):
    dex.tl.cluster(planted, **FAST)
    dex.tl.cluster(planted, 4, axis="var", key_added="genes", n_top_genes=50, **FAST)
    path = tmp_path / f"a.{suffix}"
    getattr(planted, f"write_{suffix}")(path)
    back = getattr(ad, f"read_{suffix}")(path)
    for key in ("cluster", "genes"):
        assert dex.get.gap_df(back, key=key).equals(dex.get.gap_df(planted, key=key))
        assert dex.get.consensus_df(back, key=key).equals(dex.get.consensus_df(planted, key=key))


def test_an_earlier_result_goes(planted):
    dex.tl.cluster(planted, **FAST)
    dex.tl.cluster(planted, 2, method="kmeans", axis="var", **FAST)
    assert "cluster" not in planted.obs
    assert not len(planted.obsp)
    assert "cluster_stability" not in planted.obs
    assert "cluster" in planted.var


def test_communities_are_tested_too(tmp_path):
    pytest.importorskip("igraph")
    rejected = 0
    for seed in range(10):
        noise = logs(np.random.default_rng(seed).uniform(2, 8, (60, 40)))
        dex.tl.cluster(noise, method="leiden", seed=seed, n_null=39)
        rejected += noise.uns["cluster"]["k"] > 1
        assert noise.obs["cluster"].nunique() == noise.uns["cluster"]["k"]
    assert rejected <= 2
    adata = dex.datasets.simulate_counts(500, 25, groups=("a", "b", "c"), log2fc_sd=1.5, seed=5)
    dex.tl.cluster(adata, method="leiden", resolution=0.5, n_null=39)
    assert adjusted_rand_score(adata.obs["condition"], adata.obs["cluster"]) > 0.9
    again = adata.copy()
    dex.tl.cluster(again, method="leiden", resolution=0.5, n_null=39, n_threads=2)
    assert again.obs["cluster"].equals(adata.obs["cluster"])
    assert adata.uns["cluster"]["modularity"] > adata.uns["cluster"]["expected_modularity"]
    adata.write_h5ad(tmp_path / "a.h5ad")
    with pytest.raises(InputError, match="no gap statistic"):
        dex.pl.gap(adata)
    with pytest.raises(InputError, match="resolution= makes more or fewer"):
        dex.tl.cluster(adata, 3, method="leiden")


def test_without_igraph_it_says_what_to_install(planted, monkeypatch):
    monkeypatch.setitem(sys.modules, "igraph", None)
    with pytest.raises(InputError, match=r"dex-de\[leiden\]"):
        dex.tl.cluster(planted, method="leiden")


@pytest.mark.realdata
def test_salmonella_divides_macrophages(realdata):
    """Six donors x naive, IFNg, Salmonella, both: what is seen first is Salmonella, exactly."""
    folder = realdata / "macrophage"
    adata = dex.io.read_counts(folder / "counts.csv.gz", samples=folder / "samples.csv")
    dex.tl.cluster(adata)
    infected = adata.obs["condition_name"].astype(str).str.contains("SL1344")
    assert adata.uns["cluster"]["k"] == 2
    assert adjusted_rand_score(infected, adata.obs["cluster"]) == 1


@pytest.mark.realdata
def test_mammary_cells_are_divided_as_they_were_sorted(realdata):
    """Basal cells, and luminal ones of three stages."""
    folder = realdata / "gse60450_mammary"
    adata = dex.io.read_counts(folder / "counts.csv.gz", samples=folder / "samples.csv")
    dex.pp.filter_genes(adata)
    dex.tl.cluster(adata)
    basal = adata.obs["cell_type"] == "basal"
    truth = np.where(basal, "basal", adata.obs["status"].astype(str))
    assert adjusted_rand_score(truth, adata.obs["cluster"]) == 1


def test_the_largest_number_tried_is_said():
    rng = np.random.default_rng(0)
    adata = logs(20 + np.repeat(rng.normal(0, 5, (8, 30)), 5, axis=0) + rng.normal(size=(40, 30)))
    dex.tl.cluster(adata, k_max=4, method="hierarchical", **FAST)
    assert "k_max= tries more" in " ".join(adata.uns["cluster"]["notes"])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"method": "leidenn"}, "method='leidenn' is not known"),
        ({"axis": "genes"}, "axis='genes' is not known"),
        ({"null": "none"}, "null='none' is not known"),
        ({"k": 0}, "k=0 is not a number"),
        ({"resolution": 0}, "resolution=0 is not above 0"),
        ({"k": 40}, "40 clusters of 24 observations"),
        ({"alpha": 1}, "alpha=1 is not between 0 and 1"),
        ({"key_added": "condition"}, "obs\\['condition'\\] holds something else"),
    ],
)
def test_what_cannot_be_is_refused(planted, options, words):
    before = planted.copy()
    with pytest.raises(InputError, match=words):
        dex.tl.cluster(planted, **options)
    assert planted.obs.equals(before.obs)
    assert not planted.uns


def test_many_points_are_refused_by_consensus():
    adata = logs(np.random.default_rng(0).normal(5, 1, (2001, 4)))
    with pytest.raises(InputError, match="method='kmeans' takes any number"):
        dex.tl.cluster(adata)
    dex.tl.cluster(adata, method="kmeans", k_max=3, n_null=5, alpha=0.2)
    assert adata.uns["cluster"]["k"] == 1


class _FailsOnce(dict):
    failed = False

    def __setitem__(self, key, value):
        if not self.failed:
            self.failed = True
            raise MemoryError
        super().__setitem__(key, value)


def test_clusters_are_written_whole_or_not_at_all(planted, unchanged, monkeypatch):
    dex.tl.cluster(planted, 2, axis="var", n_top_genes=40, **FAST)
    consensus = planted.varp["cluster_consensus"].copy()
    with monkeypatch.context() as patch:
        patch.setattr(planted, "_uns", _FailsOnce(planted.uns))
        with unchanged(planted), pytest.raises(MemoryError):
            dex.tl.cluster(planted, 2, **FAST)
    np.testing.assert_array_equal(planted.varp["cluster_consensus"], consensus)
    assert not planted.obsp
    dex.tl.cluster(planted, 2, **FAST)
    assert "cluster" not in planted.var
    assert not planted.varp
    assert "cluster_consensus" in planted.obsp
