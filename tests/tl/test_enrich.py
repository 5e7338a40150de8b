"""The door to gene sets."""

import anndata
import numpy as np
import pandas as pd
import pytest
from scipy import sparse, stats

import dex
from dex.errors import InputError
from dex.stats.camera import camera_test
from dex.stats.contrast_effects import contrast_effects
from dex.stats.gene_sets import SetIndex

SAME = 1e-12
SAMPLE_METHODS = ("camera", "fry", "roast")
METHODS = (*SAMPLE_METHODS, "camera_preranked", "gsea", "ora", "ulm")


def planted(n_genes=300, seed=0):
    """Counts of which the first 30 genes are up in treated."""
    adata = dex.datasets.simulate_counts(n_genes, 5, de_fraction=0.0, seed=seed)
    counts = np.array(adata.X)
    rows = (adata.obs["condition"] == "treated").to_numpy()
    counts[np.ix_(rows, np.arange(30))] *= 2
    adata.X = counts
    adata.var["symbol"] = [f"S{j}" for j in range(n_genes)]
    return adata


def sets_of(adata):
    names = list(adata.var_names)
    return {
        "planted": names[:30],
        "inside": names[5:25],
        "null": names[100:160],
        "other": names[200:230],
        "small": names[:4],
    }


@pytest.fixture(scope="module")
def ranked():
    adata = planted()
    adata.obs["batch"] = pd.Categorical(np.tile(["p", "q"], 5))
    dex.tl.rank_genes(adata, design="~ batch + condition", method="limma_voom")
    return adata


@pytest.mark.parametrize("method", METHODS)
def test_planted_set_is_first(method, ranked):
    dex.tl.enrich(ranked, sets_of(ranked), method=method)
    table = dex.get.enrich_df(ranked)
    first = table.iloc[0]
    assert first["gene_set"] in {"planted", "inside"}
    assert first["direction"] == "up"
    assert first["padj"] < 0.01
    assert first["leading_edge"].split(";")[0] in set(sets_of(ranked)["planted"])
    assert "small" not in set(table["gene_set"])
    others = table[(table["gene_set"].isin(["planted", "inside"])) & (table["direction"] == "up")]
    assert len(set(others["representative"])) == 1
    assert (table["log10_pval"] <= 0).all()
    np.testing.assert_allclose(table["pval"], 10 ** table["log10_pval"])


def test_camera_is_that_of_the_fit_it_follows(ranked):
    """The values, weights, design and contrast of limma-voom, gene by gene."""
    dex.tl.enrich(ranked, sets_of(ranked), method="camera", min_size=1)
    table = dex.get.enrich_df(ranked).set_index("gene_set")
    from dex.get._tested import Tested
    from dex.results import StoredResult
    from dex.tl._limma_voom import VoomOptions, logs_with_precision
    from dex.tl._model import FitSetting

    expression = Tested.by(StoredResult.from_adata(ranked, "rank_genes")).expression(
        np.arange(ranked.n_vars)
    )
    design = ranked.obsm["rank_genes_design"]
    logs, weights = logs_with_precision(
        expression, design, expression.factors.effective, FitSetting(VoomOptions(), ranked.obs)
    )
    effects = contrast_effects(logs, design, np.eye(design.shape[1])[-1], weights=weights)
    t = np.array(ranked.varm["rank_genes_stat"][:, 0])
    np.testing.assert_allclose(effects.effect / np.sqrt(effects.squeezed().var), t, rtol=1e-8)
    index = SetIndex.of([ranked.var_names.get_indexer(g) for g in sets_of(ranked).values()], 300)
    expected = pd.Series(camera_test(effects, index).log10_pval, index=list(sets_of(ranked)))
    np.testing.assert_allclose(table["log10_pval"], expected[table.index], atol=1e-8)


def test_ora_is_the_hypergeometric_test(ranked):
    dex.tl.enrich(ranked, sets_of(ranked), method="ora", padj=0.1)
    genes = dex.get.rank_genes_df(ranked)
    up = set(genes["gene"][(genes["padj"] <= 0.1) & (genes["log2fc"] > 0)])
    table = dex.get.enrich_df(ranked, direction="up").set_index("gene_set")
    for name in table.index:
        members = set(sets_of(ranked)[name])
        overlap = len(members & up)
        expected = stats.hypergeom.sf(overlap - 1, 300, len(members), len(up))
        assert table.loc[name, "n_overlap"] == overlap
        assert table.loc[name, "pval"] == pytest.approx(expected, rel=1e-9)
    assert table["padj"].to_numpy() == pytest.approx(
        stats.false_discovery_control(table["pval"]), rel=1e-9
    )


def test_universe_can_be_restricted_and_is_told(ranked, caplog):
    caplog.set_level("INFO", "dex")
    dex.tl.enrich(ranked, sets_of(ranked), method="ora", universe="annotated")
    assert "Universe: 300 genes with a p-value, 120 of them in any set; taken are the 120" in (
        caplog.text
    )
    dex.tl.enrich(ranked, sets_of(ranked), method="ora", directions="together")
    assert set(dex.get.enrich_df(ranked)["direction"]) == {"any"}


def test_all_contrasts_at_once():
    adata = dex.datasets.simulate_counts(200, 4, groups=("a", "b", "c"), de_fraction=0.2, seed=3)
    dex.tl.rank_genes(adata, "condition", reference="a", method="limma")
    sets = {f"s{i}": adata.var_names[20 * i : 20 * i + 20] for i in range(10)}
    dex.tl.enrich(adata, sets)
    table = dex.get.enrich_df(adata)
    assert table["contrast"].value_counts().tolist() == [10, 10]
    dex.tl.enrich(adata, sets, contrast="c vs a", key_added="one")
    one = dex.get.enrich_df(adata, key="one")
    pd.testing.assert_frame_equal(one, dex.get.enrich_df(adata, "c vs a"))
    dex.tl.enrich(adata, sets, padj_scope="global", key_added="all")
    every = dex.get.enrich_df(adata, key="all")
    np.testing.assert_allclose(
        every.sort_values("pval")["padj"],
        stats.false_discovery_control(every.sort_values("pval")["pval"]),
    )


@pytest.mark.parametrize("method", ["edger", "deseq2", "limma", "ols", "t-test", "wilcoxon"])
def test_methods_find_their_samples_again(method):
    adata = planted()
    dex.tl.rank_genes(adata, "condition", method=method)
    dex.tl.enrich(adata, sets_of(adata))
    table = dex.get.enrich_df(adata)
    assert table["method"].unique().tolist() == ["camera"]
    assert table["gene_set"][0] in {"planted", "inside"}
    assert table["padj"][0] < 0.01
    counted = method in {"edger", "deseq2"}
    assert ("voom" in dex.get.enrich_params(adata)["transform"]) == counted


def test_other_way_round():
    adata = planted()
    dex.tl.rank_genes(adata, design="~ condition", contrasts=("condition", "treated", "control"))
    dex.tl.enrich(adata, sets_of(adata))
    there = dex.get.enrich_df(adata)
    dex.tl.rank_genes(adata, design="~ condition", contrasts=("condition", "control", "treated"))
    dex.tl.enrich(adata, sets_of(adata))
    back = dex.get.enrich_df(adata)
    np.testing.assert_allclose(there["score"], -back["score"], rtol=1e-6)
    assert (there["direction"] != back["direction"]).all()


def test_paired_samples_are_compared_within_pairs():
    adata = planted()
    adata.obs["pair"] = pd.Categorical(np.tile(list("vwxyz"), 2))
    dex.tl.rank_genes(adata, "condition", method="t-test-paired", block="pair")
    dex.tl.enrich(adata, sets_of(adata))
    one = dex.get.enrich_df(adata)
    dex.tl.rank_genes(adata, design="~ pair + condition", method="ols")
    dex.tl.enrich(adata, sets_of(adata))
    np.testing.assert_allclose(one["log10_pval"], dex.get.enrich_df(adata)["log10_pval"])


def test_symbols_name_sets_and_leading_edges():
    adata = planted()
    dex.tl.rank_genes(adata, "condition", method="limma")
    by_name, by_symbol = sets_of(adata), {}
    place = {name: j for j, name in enumerate(adata.var_names)}
    for name, genes in by_name.items():
        by_symbol[name] = [f"S{place[gene]}" for gene in genes]
    dex.tl.enrich(adata, by_symbol)
    table = dex.get.enrich_df(adata)
    assert table["leading_edge"][0].startswith("S")
    assert dex.get.gene_sets(adata, "null") == {"null": by_name["null"]}
    dex.tl.enrich(adata, by_name)
    np.testing.assert_array_equal(table["pval"], dex.get.enrich_df(adata)["pval"])


def test_cells_made_into_samples():
    cells = dex.datasets.simulate_counts(200, 3, cells_per_replicate=20, mean_count=4, seed=1)
    dex.tl.rank_genes(cells, "condition", replicate="replicate")
    sets = {"a": cells.var_names[:80], "b": cells.var_names[80:]}
    dex.tl.enrich(cells, sets)
    table = dex.get.enrich_df(cells)
    assert table["method"].unique().tolist() == ["camera"]
    bulk = dex.pp.pseudobulk(cells, "replicate", groupby="condition")
    keep = np.isfinite(cells.varm["rank_genes_log10_pval"][:, 0])
    dex.tl.rank_genes(bulk, "condition", mask_var=keep)
    dex.tl.enrich(bulk, sets)
    np.testing.assert_allclose(table["log10_pval"], dex.get.enrich_df(bulk)["log10_pval"])


def test_a_set_of_all_genes_has_no_gsea_and_stops_none(ranked):
    sets = {"all": ranked.var_names, "some": ranked.var_names[:40]}
    dex.tl.enrich(ranked, sets, method="gsea", max_size=None, key_added="everything")
    table = dex.get.enrich_df(ranked, key="everything").set_index("gene_set")
    assert np.isnan(table.loc["all", "pval"])
    assert table.loc["some", "pval"] <= 1


def of_types(n_genes=200):
    """3 + 3 replicates x 60 cells of two types, and one of which there are few cells."""
    adata = dex.datasets.simulate_counts(
        n_genes, 3, cells_per_replicate=60, mean_count=2, seed=0, de_fraction=0.3
    )
    within = np.tile(np.arange(60), 6)
    adata.obs["type"] = np.select([within < 2, within < 30], ["rare", "a"], "b")
    adata.obs["age"] = adata.obs["replicate"].cat.codes.to_numpy() % 3.0
    adata.obs["batch"] = np.where(adata.obs["replicate"].cat.codes % 2, "p", "q")
    return adata


def twenties(adata):
    return {f"set{i}": adata.var_names[20 * i : 20 * i + 20] for i in range(8)}


APART = {
    "edger": {"method": "edger"},
    "limma": {"method": "limma", "sample_weights": True},
    "covariate": {"method": "limma_voom", "design": "~ age + condition"},
    "two samples": {"method": "t-test"},
}


@pytest.mark.parametrize("how", APART)
@pytest.mark.parametrize("method", ["camera", "fry"])
def test_cell_types_that_were_tested_apart_are_as_by_themselves(how, method, caplog):
    adata = of_types()
    question = {"groupby": "condition", "replicate": "replicate", **APART[how]}
    dex.tl.rank_genes(adata, per="type", min_cells=10, **question)
    assert dex.get.tests_df(adata).set_index("per")["n_tested"]["rare"] == 0
    caplog.set_level("INFO", logger="dex")
    dex.tl.enrich(adata, twenties(adata), method=method, min_size=2)
    assert "left out: 'rare: treated vs control'" in caplog.text
    table = dex.get.enrich_df(adata)
    for one in ("a", "b"):
        alone = adata[adata.obs["type"] == one].copy()
        for key in ("rank_genes", "enrich"):
            del alone.uns[key]
        dex.tl.rank_genes(alone, min_cells=10, **question)
        dex.tl.enrich(alone, twenties(alone), method=method, min_size=2)
        expected = dex.get.enrich_df(alone).set_index("gene_set")["log10_pval"]
        found = table[table["contrast"].str.startswith(f"{one}:")].set_index("gene_set")
        pd.testing.assert_series_equal(found["log10_pval"], expected, check_exact=True)


def test_a_design_of_a_type_may_lack_columns_of_another():
    adata = of_types()
    some = ~((adata.obs["type"] == "a") & (adata.obs["batch"] == "p")).to_numpy()
    adata = adata[some].copy()
    question = {"groupby": "condition", "replicate": "replicate", "method": "ols"}
    dex.tl.rank_genes(adata, design="~ batch + condition", per="type", min_cells=10, **question)
    tested = dex.get.tests_df(adata).set_index("per")["n_tested"]
    assert (tested[["a", "b"]] > 0).tolist() == [False, True]
    dex.tl.enrich(adata, twenties(adata), min_size=2)
    assert set(dex.get.enrich_df(adata)["method"]) == {"camera"}
    with pytest.raises(InputError, match="'a: treated vs control' has 0 genes with a p-value"):
        dex.tl.enrich(adata, twenties(adata), contrast="a: treated vs control", min_size=2)


def test_strata_of_samples_with_blocks_have_correlations_of_their_own():
    adata = dex.datasets.simulate_counts(150, 12, seed=3)
    adata.obs["tissue"] = np.where(np.arange(24) % 2, "skin", "gut")
    adata.obs["donor"] = [f"d{i // 4}" for i in range(24)]
    options = {"method": "limma", "block": "donor", "replicate": None}
    dex.tl.rank_genes(adata, "condition", per="tissue", **options)
    correlations = adata.uns["rank_genes"]["params"]["correlations"]
    assert correlations.shape == (2,)
    assert correlations[0] != correlations[1]
    dex.tl.enrich(adata, twenties(adata), min_size=2)
    table = dex.get.enrich_df(adata).set_index(["contrast", "gene_set"])["log10_pval"]
    skin = adata[adata.obs["tissue"] == "skin"].copy()
    dex.tl.rank_genes(skin, "condition", key_added="own", **options)
    dex.tl.enrich(skin, twenties(skin), key="own", key_added="sets", min_size=2)
    expected = dex.get.enrich_df(skin, key="sets").set_index("gene_set")["log10_pval"]
    pd.testing.assert_series_equal(table["skin: treated vs control"], expected, check_exact=True)


def test_results_without_their_design_take_ora(caplog):
    caplog.set_level("INFO", logger="dex")
    adata = dex.datasets.simulate_counts(200, 5, seed=1)
    dex.tl.rank_genes(adata, "condition", method="limma")
    del adata.obsm["rank_genes_design"]
    dex.tl.enrich(adata, twenties(adata), min_size=2)
    assert "the result has not kept its design, so ora" in caplog.text
    caplog.clear()
    with pytest.raises(InputError, match="has no design matrix"):
        dex.tl.enrich(adata, twenties(adata), method="camera", min_size=2)
    assert "takes cells for samples" not in caplog.text  # they are samples


def test_designs_that_are_too_large_are_not_joined(monkeypatch):
    adata = dex.datasets.simulate_counts(150, 12, seed=3)
    adata.obs["tissue"] = np.where(np.arange(24) % 3, "skin", "gut")
    for limit in (20, 40):  # one stratum's is kept, or both and not what they make together
        monkeypatch.setattr("dex.tl._analysis.LARGEST_DESIGN", limit)
        monkeypatch.setattr("dex.tl._joined_fits.LARGEST_DESIGN", limit)
        dex.tl.rank_genes(adata, "condition", per="tissue", method="limma")
        assert "rank_genes_design" not in adata.obsm
        dex.tl.enrich(adata, twenties(adata), min_size=2)
        assert set(dex.get.enrich_df(adata)["method"]) == {"ora"}


def test_few_samples_hardly_tell_correlations(caplog):
    caplog.set_level("INFO", logger="dex")
    for n, said in ((2, True), (4, False)):
        adata = dex.datasets.simulate_counts(200, n, groups=("a", "b", "c"), seed=2)
        dex.tl.rank_genes(adata, "condition", reference="a", method="limma")
        caplog.clear()
        dex.tl.enrich(adata, twenties(adata), min_size=2)
        words = "b vs a: 6 samples and 3 coefficients hardly tell how genes of a set correlate"
        assert (words in caplog.text) is said
        assert caplog.text.count("hardly tell") == said
        assert ("(So in 1 more.)" in caplog.text) is said


def test_of_cells_genes_are_counted(caplog):
    cells = dex.datasets.simulate_counts(200, 3, cells_per_replicate=40, mean_count=0.5, seed=1)
    dex.tl.rank_genes(cells, "condition", replicate=None, unit="cells")
    dex.tl.enrich(cells, {"a": cells.var_names[:80]})
    assert set(dex.get.enrich_df(cells)["method"]) == {"ora"}
    dex.tl.enrich(cells, {"a": cells.var_names[:80]}, method="camera")
    assert "takes cells for samples" in caplog.text


def test_table_survives_files(ranked, tmp_path):
    dex.tl.enrich(ranked, sets_of(ranked), method="fry")
    table = dex.get.enrich_df(ranked)
    dex.io.write_h5ad(ranked, tmp_path / "a.h5ad")
    dex.io.write_zarr(ranked, tmp_path / "a.zarr")
    for back in (dex.io.read_h5ad(tmp_path / "a.h5ad"), dex.io.read_zarr(tmp_path / "a.zarr")):
        pd.testing.assert_frame_equal(dex.get.enrich_df(back), table)
        dex.tl.enrich(back, sets_of(back), method="fry", key_added="again")
        pd.testing.assert_frame_equal(dex.get.enrich_df(back, key="again"), table)
    dex.io.write_enrichment(ranked, tmp_path / "sets.csv")
    read = pd.read_csv(tmp_path / "sets.csv")
    assert read.columns.tolist() == table.columns.tolist()
    np.testing.assert_allclose(read["pval"], table["pval"])


def test_genes_left_out_do_not_matter_to_what_is_stored(ranked):
    dex.tl.enrich(ranked, sets_of(ranked))
    some = ranked[:, 50:].copy()
    pd.testing.assert_frame_equal(dex.get.enrich_df(some), dex.get.enrich_df(ranked))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"method": "magic"}, "method='magic' is not known"),
        ({"method": "fry", "padj": 0.1}, "method='fry' takes robust, standardize"),
        ({"key": "none"}, "holds no result"),
        ({"contrast": "c"}, "is not one of the 1 tests"),
        ({"min_size": 0}, "1 gene or more"),
        ({"min_size": 299, "max_size": 300}, "none of the 5 sets is of a size"),
        ({"metric": "nothing", "method": "ulm"}, "'nothing' is not in the result"),
        ({"key_added": "rank_genes"}, "holds something else"),
        ({"method": "ora", "universe": "all"}, "universe='all'"),
        ({"method": "ora", "padj": 0}, "padj=0"),
        ({"method": "roast", "n_rotations": 0}, "n_rotations=0"),
    ],
)
def test_what_cannot_be_asked_is_refused(options, said, ranked):
    before = ranked.copy()
    with pytest.raises(InputError, match=said):
        dex.tl.enrich(ranked, sets_of(ranked), **options)
    assert list(before.uns) == list(ranked.uns)


def test_tests_without_direction_take_ora():
    adata = dex.datasets.simulate_counts(200, 4, groups=("a", "b", "c"), seed=3)
    dex.tl.rank_genes(adata, "condition", test="any", method="limma")
    sets = {"a": adata.var_names[:50]}
    with pytest.raises(InputError, match="no direction"):
        dex.tl.enrich(adata, sets, method="camera")
    dex.tl.enrich(adata, sets)
    assert set(dex.get.enrich_df(adata)["direction"]) == {"any"}


def test_other_observations_are_refused():
    adata = planted()
    dex.tl.rank_genes(adata, "condition", method="limma")
    with pytest.raises(InputError, match="9 of the 10 observations"):
        dex.tl.enrich(adata[:9].copy(), sets_of(adata))
    dex.tl.rank_genes(adata, "condition", method="wilcoxon")
    with pytest.raises(InputError, match="was of 5 against 5"):
        dex.tl.enrich(adata[:9].copy(), sets_of(adata))


def test_ranked_lists_of_samples_are_warned_of(ranked, caplog):
    dex.tl.enrich(ranked, sets_of(ranked), method="ulm")
    assert "never sees the samples" in caplog.text
    caplog.clear()
    dex.tl.enrich(ranked, sets_of(ranked), method="camera", inter_gene_cor=0.01)
    assert dex.get.enrich_df(ranked)["correlation"].eq(0.01).all()


def test_lengths_are_taken_out():
    adata = planted()
    rng = np.random.default_rng(0)
    lengths = np.exp(rng.normal(7, 0.5, 300) + rng.normal(0, 0.3, adata.shape))
    plain = np.array(adata.X)
    adata.layers["counts"] = plain * lengths / np.exp(np.log(lengths).mean(axis=0))
    adata.layers["lengths"] = lengths
    for method in ("edger", "deseq2"):
        dex.tl.rank_genes(adata, "condition", method=method, layer="counts", lengths="lengths")
        dex.tl.enrich(adata, sets_of(adata))
        assert "relative lengths" in dex.get.enrich_params(adata)["transform"]
        with_lengths = dex.get.enrich_df(adata).set_index("gene_set")
        dex.tl.rank_genes(adata, "condition", method=method)
        dex.tl.enrich(adata, sets_of(adata))
        without = dex.get.enrich_df(adata).set_index("gene_set").loc[with_lengths.index]
        np.testing.assert_allclose(with_lengths["score"], without["score"], rtol=0.05, atol=0.05)


def test_sparse_and_backed_matrices_are_the_same(tmp_path):
    adata = planted()
    dex.tl.rank_genes(adata, "condition", method="limma_voom")
    dex.tl.enrich(adata, sets_of(adata), n_threads=1)
    expected = dex.get.enrich_df(adata)
    for form in (sparse.csr_matrix, sparse.csc_matrix):
        other = planted()
        other.X = form(other.X)
        dex.tl.rank_genes(other, "condition", method="limma_voom")
        dex.tl.enrich(other, sets_of(other), n_threads=2)
        pd.testing.assert_frame_equal(dex.get.enrich_df(other), expected)
    other.write_h5ad(tmp_path / "a.h5ad")
    backed = anndata.read_h5ad(tmp_path / "a.h5ad", backed="r")
    dex.tl.enrich(backed, sets_of(backed))
    pd.testing.assert_frame_equal(dex.get.enrich_df(backed), expected)
    backed.file.close()


def test_order_of_genes_and_samples_does_not_matter():
    adata = planted()
    dex.tl.rank_genes(adata, "condition", method="ols")
    dex.tl.enrich(adata, sets_of(adata))
    expected = dex.get.enrich_df(adata)
    rng = np.random.default_rng(0)
    moved = adata[rng.permutation(adata.n_obs), rng.permutation(adata.n_vars)].copy()
    dex.tl.enrich(moved, sets_of(adata))
    found = dex.get.enrich_df(moved)
    assert found["gene_set"].tolist() == expected["gene_set"].tolist()
    np.testing.assert_allclose(found["log10_pval"], expected["log10_pval"], atol=1e-9)


def test_a_fit_is_enough():
    adata = planted()
    dex.tl.fit(adata, "~ condition", method="limma", sample_weights=True)
    dex.tl.contrast(adata, ("condition", "treated", "control"))
    assert "rank_genes_sample_weights" in adata.obs
    dex.tl.enrich(adata, sets_of(adata))
    weighted = dex.get.enrich_df(adata)
    assert weighted["gene_set"][0] in {"planted", "inside"}
    dex.tl.rank_genes(adata, "condition", method="limma")
    assert "rank_genes_sample_weights" not in adata.obs
    dex.tl.enrich(adata, sets_of(adata))
    assert (dex.get.enrich_df(adata)["pval"] != weighted["pval"]).all()


def test_repeated_measures_are_whitened():
    adata = planted()
    adata.obs["donor"] = np.tile(["v", "v", "w", "w", "x"], 2)
    adata.obs["donor"] += adata.obs["condition"].astype(str)
    dex.tl.rank_genes(adata, design="~ condition", method="limma", block="donor")
    t = np.array(adata.varm["rank_genes_stat"][:, 0])
    dex.tl.enrich(adata, sets_of(adata))
    blocked = dex.get.enrich_df(adata)
    assert blocked["gene_set"][0] in {"planted", "inside"}
    dex.tl.rank_genes(adata, design="~ condition", method="limma")
    dex.tl.enrich(adata, sets_of(adata))
    assert (dex.get.enrich_df(adata)["pval"] != blocked["pval"]).all()
    assert (t != adata.varm["rank_genes_stat"][:, 0]).any()
