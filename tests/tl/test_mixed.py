"""The mixed model from samples, or samples made of cells, to statistics."""

from __future__ import annotations

from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest

import dex
from dex.errors import DesignError, InputError
from dex.results.schema import Status

REFERENCE = Path(__file__).parents[1] / "reference" / "mixed"
SAME = 5e-6  # see tests/stats/test_mixed_model.py
REAL = 1e-4  # of log10 p and df: the logs agree to 1e-11, optima to the root of that
ROUNDING = 1e-8
DESIGN = "~ treatment + batch + dose"


@pytest.fixture
def logs():
    """Three treatments of seven donors, two samples lost; tests/reference/mixed/make.R."""
    design = pd.read_csv(REFERENCE / "three_design.csv.gz")
    values = pd.read_csv(REFERENCE / "three_values.csv.gz")
    treatment = np.where(design.treatmentb == 1, "b", np.where(design.treatmentc == 1, "c", "a"))
    block = pd.read_csv(REFERENCE / "three_block.csv.gz")["block"]
    obs = pd.DataFrame(
        {
            "treatment": pd.Categorical(treatment),
            "batch": pd.Categorical(np.where(design.batchq == 1, "q", "p")),
            "dose": design.dose.to_numpy(),
            "donor": pd.Categorical([f"d{one}" for one in block]),
        },
        index=[f"s{i}" for i in range(len(block))],
    )
    return ad.AnnData(values.to_numpy(), obs=obs, var=pd.DataFrame(index=values.columns))


@pytest.fixture
def counts():
    """Six donors, three samples of each condition."""
    adata = dex.datasets.simulate_counts(60, n_per_group=6, paired=True, mean_count_sd=1, seed=4)
    again = dex.datasets.simulate_counts(60, n_per_group=6, paired=True, mean_count_sd=1, seed=4)
    again.X = np.random.default_rng(0).poisson(again.X * 0.8).astype(np.float32)
    return ad.concat([adata, again], index_unique="-", merge="same")


def ranked(adata, **options):
    asked = {"design": DESIGN, "scale": "logcpm", "block": "donor", "method": "mixed"} | options
    dex.tl.rank_genes(adata, **asked)
    return adata


def reference(name):
    table = pd.read_csv(REFERENCE / f"three_{name}.csv.gz")
    return {column: table[column].to_numpy().reshape(50, -1) for column in table.columns}


class TestAgainstLmertest:
    def test_coefficients(self, logs, column):
        ranked(logs, contrasts=["b - a", "c - a", "batch[T.q]", "dose"])
        r = reference("coef")
        some = r["singular"][:, 0] == 0
        for ours, theirs in (
            ("log2fc", "coef"),
            ("log2fc_se", "se"),
            ("df", "df"),
            ("stat", "t"),
            ("log10_pval", "log10_pval"),
        ):
            np.testing.assert_allclose(
                column(logs, ours)[some], r[theirs][some, 1:], rtol=SAME, atol=SAME
            )
        status = column(logs, "status")
        assert (status[some] == Status.TESTED).all()
        assert (status[~some] == Status.SINGULAR).all()
        assert np.isfinite(column(logs, "padj")).all()

    @pytest.mark.parametrize("ask", ["contrasts", "reduced"])
    def test_joint(self, logs, column, ask):
        how = {"contrasts": ["b - a", "c - a"], "test": "any"}
        ranked(logs, **how if ask == "contrasts" else {"reduced": "~ batch + dose"})
        r = reference("joint")
        some = reference("coef")["singular"][:, 0] == 0
        for ours, theirs in (("stat", "F"), ("df", "df_den"), ("log10_pval", "log10_pval")):
            np.testing.assert_allclose(
                column(logs, ours)[some, 0], r[theirs][some, 0], rtol=SAME, atol=SAME
            )


class TestOneNumberPerQuestion:
    def ask(self, adata, column, **options):
        ranked(adata, contrasts="b - a", **options)
        names = ("log2fc", "log2fc_se", "stat", "df", "log10_pval", "log2fc_low", "log2fc_high")
        return {name: column(adata, name)[:, 0] for name in names}

    def test_order_of_samples_and_genes(self, logs, column):
        expected = self.ask(logs, column)
        rng = np.random.default_rng(0)
        genes = rng.permutation(logs.n_vars)
        found = self.ask(logs[rng.permutation(logs.n_obs), genes].copy(), column)
        for name, values in expected.items():
            np.testing.assert_allclose(found[name], values[genes], rtol=1e-6, atol=1e-9)

    def test_reference(self, logs, column):
        expected = self.ask(logs, column)
        logs.obs["treatment"] = logs.obs["treatment"].cat.reorder_categories(["c", "b", "a"])
        logs.obs["dose"] *= -3
        found = self.ask(logs, column)
        for name, values in expected.items():
            np.testing.assert_allclose(found[name], values, rtol=1e-6, atol=1e-9)

    def test_names_of_donors(self, logs, column):
        expected = self.ask(logs, column)
        logs.obs["donor"] = logs.obs["donor"].cat.codes.to_numpy()[::1] * 7 - 3
        for name, values in self.ask(logs, column).items():
            np.testing.assert_array_equal(values, expected[name])

    def test_natural_logs_are_told_in_log2(self, logs, column):
        expected = self.ask(logs, column)
        logs.X = logs.X * np.log(2)
        for name, values in self.ask(logs, column, scale="ln1p").items():
            np.testing.assert_allclose(values, expected[name], rtol=1e-6, atol=1e-9)

    def test_threads_and_blocks(self, logs, column, small_blocks):
        one = self.ask(logs, column, n_threads=1)
        for name, values in self.ask(logs, column, n_threads=2).items():
            np.testing.assert_array_equal(values, one[name])

    def test_sides_and_thresholds(self, logs, column):
        both = self.ask(logs, column)
        up = self.ask(logs, column, alternative="greater")
        half = 10 ** both["log10_pval"] / 2
        np.testing.assert_allclose(
            10 ** up["log10_pval"], np.where(both["stat"] > 0, half, 1 - half), rtol=ROUNDING
        )
        assert (self.ask(logs, column, lfc=0.2)["log10_pval"] >= both["log10_pval"]).all()
        wide = self.ask(logs, column, conf_level=0.99)
        assert (wide["log2fc_low"] < both["log2fc_low"]).all()


def test_weights_of_observations(column, unchanged):
    """Four or so samples of ten donors, every value with a weight."""
    r, design, values, weights = (
        pd.read_csv(REFERENCE / f"weights_{name}.csv.gz")
        for name in ("coef", "design", "values", "weights")
    )
    design["donor"] = pd.read_csv(REFERENCE / "weights_block.csv.gz")["block"].to_numpy()
    design.index = design.index.astype(str)
    adata = ad.AnnData(values.to_numpy(), obs=design, layers={"w": weights.to_numpy()})
    options = {"design": "~ treatmentb + sitey", "observation_weights": "w"}
    ranked(adata, contrasts="treatmentb", **options)
    some = r["singular"].to_numpy().reshape(-1, 3)[:, 0] == 0
    for ours, theirs in (("log2fc", "coef"), ("df", "df"), ("log10_pval", "log10_pval")):
        expected = r[theirs].to_numpy().reshape(-1, 3)[some, 1]
        np.testing.assert_allclose(column(adata, ours)[some, 0], expected, rtol=SAME, atol=SAME)
    adata.layers["w"][0, 0] = 0
    with unchanged(adata), pytest.raises(InputError, match="values are missing"):
        ranked(adata, contrasts="treatmentb", **options)


@pytest.mark.parametrize("suffix", ["h5ad", "zarr"])
def test_contrasts_of_a_fit_from_a_file(logs, column, suffix, tmp_path):
    expected = ranked(logs.copy(), contrasts=["b - a", "c - b"])
    dex.tl.fit(logs, DESIGN, method="mixed", scale="logcpm", block="donor")
    path = tmp_path / f"fit.{suffix}"
    getattr(dex.io, f"write_{suffix}")(logs, path)
    again = getattr(dex.io, f"read_{suffix}")(path)
    dex.tl.contrast(again, ["b - a", "c - b"])
    for name in ("log2fc", "stat", "df", "log10_padj", "status"):
        np.testing.assert_array_equal(column(again, name), column(expected, name))
    assert (again.var["fit_var_block"] == 0).sum() == (column(again, "status")[:, 0] == 7).sum()


def test_counts_are_taken_as_log_cpm(counts, column, log_cpm):
    logs = counts.copy()
    logs.X = log_cpm(counts.X)
    ranked(logs, design="~ condition")
    ranked(counts, design="~ condition", scale=None)
    for name in ("log2fc", "stat", "log10_pval"):
        np.testing.assert_allclose(column(counts, name), column(logs, name), rtol=1e-7, atol=1e-9)


def test_voom_weighs_counts(counts, column):
    plain = column(ranked(counts.copy(), design="~ condition", scale=None), "stat")
    weighed = column(ranked(counts, design="~ condition", scale=None, voom=True), "stat")
    assert np.corrcoef(plain[:, 0], weighed[:, 0])[0, 1] > 0.95
    assert (plain != weighed).all()


def test_cells_are_added_up_first(cells, column, unchanged):
    cells.obs["donor"] = [name[-1] for name in cells.obs["replicate"]]  # in both conditions
    message = "takes samples, and X holds cells: an intercept of each 'donor'.*replicate="
    with unchanged(cells), pytest.raises(InputError, match=message):
        dex.tl.rank_genes(cells, "condition", method="mixed", block="donor", unit="cells")
    with pytest.raises(InputError, match=r"pp\.pseudobulk"):
        dex.tl.fit(cells, "~ condition", method="mixed", block="donor", unit="cells")
    dex.tl.rank_genes(cells, "condition", method="mixed", block="donor", replicate="donor")
    bulk = dex.pp.pseudobulk(cells, replicate="donor", groupby="condition")
    tested = np.isfinite(column(cells, "stat")[:, 0])
    dex.tl.rank_genes(bulk, "condition", method="mixed", block="donor", mask_var=tested)
    np.testing.assert_array_equal(column(cells, "stat"), column(bulk, "stat"))
    assert tested.sum() > 20
    assert not any("compares within each" in note for note in cells.uns["rank_genes"]["notes"])


def test_cell_types_have_models_of_their_own(cells, column):
    cells.obs["donor"] = [name[-1] for name in cells.obs["replicate"]]
    cells.obs["type"] = np.tile(["B", "T", "T", "B", "T"], cells.n_obs // 5)
    asked = {"method": "mixed", "block": "donor", "replicate": "donor"}
    dex.tl.rank_genes(cells, "condition", per="type", **asked)
    of_b = cells[(cells.obs["type"] == "B").to_numpy()].copy()
    dex.tl.rank_genes(of_b, "condition", unit="cells", key_added="alone", **asked)
    np.testing.assert_array_equal(column(cells, "stat")[:, 0], column(of_b, "stat", "alone")[:, 0])
    assert np.isfinite(column(cells, "log10_pval")).sum() > 20


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"block": None}, InputError, "name the column of obs with the donors"),
        ({"block": "dnor"}, InputError, "dnor"),
        ({"design": "~ treatment + donor"}, DesignError, "knows every block already"),
        ({"voom": True}, InputError, "holds none"),
        ({"voom": "yes"}, InputError, "voom='yes' is not known"),
        ({"span": 2}, InputError, "span=2"),
        ({"voom": True, "observation_weights": "w"}, InputError, "one or the other"),
        ({"conf_level": 1}, InputError, "conf_level=1"),
        ({"robust": True}, InputError, "robust=True goes with"),
    ],
)
def test_what_cannot_be_is_refused(logs, unchanged, options, error, message):
    with unchanged(logs), pytest.raises(error, match=message):
        ranked(logs, **options)


def test_the_report_tells_of_the_intercepts(logs, tmp_path):
    ranked(logs, contrasts="b - a")
    dex.report.write(logs, tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text()
    assert (
        "Every level of donor had a random intercept, fitted by REML (Bates et al., 2015)" in text
    )
    assert "Kuznetsova" in text
    assert "singular fit" in text


@pytest.mark.realdata
def test_macrophage_is_as_lmertest_has_it(realdata, column):
    folder = realdata / "macrophage"
    adata = dex.io.read_counts(folder / "counts.csv.gz", samples=folder / "samples.csv")
    adata = adata[:, (adata.X >= 10).sum(axis=0) >= 4].copy()
    r = pd.read_csv(REFERENCE.parent / "mixed_real" / "macrophage.csv.gz").set_index("gene")
    asked = {"design": "~ condition_name", "block": "line_id", "method": "mixed"}
    dex.tl.rank_genes(adata, contrasts=("condition_name", "IFNg", "naive"), **asked)
    contrasts = [("condition_name", name, "naive") for name in ("IFNg", "IFNg_SL1344", "SL1344")]
    dex.tl.rank_genes(adata, contrasts=contrasts, test="any", key_added="any", **asked)
    at, some = adata.var_names.get_indexer(r.index), (r.singular == 0).to_numpy()
    assert some.sum() > 100
    for name in ("log10_pval", "df", "stat"):
        ours = column(adata, name)[at, 0][some]
        np.testing.assert_allclose(ours, r[name][some], rtol=REAL, atol=REAL)
    for name, theirs in (("stat", "F"), ("df", "df_den"), ("log10_pval", "log10_pval_any")):
        ours = column(adata, name, "any")[at, 0][some]
        np.testing.assert_allclose(ours, r[theirs][some], rtol=REAL, atol=REAL)
    singular = column(adata, "status")[at, 0] == Status.SINGULAR
    np.testing.assert_array_equal(singular, ~some)
