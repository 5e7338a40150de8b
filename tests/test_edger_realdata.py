"""edgeR's numbers on real data: six sets stage by stage, known truths, and splits of replicates."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import dex

pytestmark = pytest.mark.realdata

REFERENCE = Path(__file__).parent / "reference" / "edger_real"
NUMBERS = pd.read_csv(REFERENCE / "numbers.csv.gz").set_index("name")

MOMENTS = 2e-3
"""Of adjusted deviances and F: edgeR approximates the moments of unit deviances, by up to 0.1%."""
GLM_STOPS = 2e-4
"""Of log2 fold changes: edgeR's Newton steps end at a change of 1e-6 in the deviance."""
OPTIMISED = 1.5e-4
"""Of common dispersions: edgeR's one-dimensional search has a tolerance of 1e-5 or 1e-6, and the
fits behind it are stopped where groups have no counts."""
TAGWISE = 1e-2
SAME_SET = 0.999
"""Jaccard index of the genes below an FDR of 5%: one of a thousand lies within MOMENTS of it."""
BIG = 3e4
"""Total above which edgeR's deviances are off at dispersions below 1e-4: it takes a series in the
dispersion that needs ``dispersion * mu`` to be small. 7e4 in each of four libraries, 0.2% apart,
have the deviance 0.41, and edgeR says 1.15 at a dispersion of 1.74e-5."""

QUESTIONS = {
    "airway": ("airway", "~ celltype + dex", ("dex", "treated", "control"), "airway"),
    "pasilla": ("pasilla", "~ type + condition", ("condition", "treated", "untreated"), "pasilla"),
    "macrophage": (
        "macrophage",
        "~ line_id + condition_name",
        ("condition_name", "IFNg", "naive"),
        "macrophage_ifng",
    ),
    "hapmap": ("hapmap_lcl", "~ study + sex", ("sex", "male", "female"), "hapmap_sex"),
    "gse60450": (
        "gse60450_mammary",
        "~ status",
        ("status", "pregnant", "lactating"),
        "gse60450_basal",
    ),
    "seqc_lanes": ("seqc_coh_lanes", "~ library + half", ("half", "second", "first"), None),
}


def read(realdata, name):
    folder = realdata / name
    return dex.io.read_counts(folder / "counts.csv.gz", samples=folder / "samples.csv")


class Case:
    """A data set with its question, and what edgeR says of some of its genes."""

    def __init__(self, realdata, name):
        folder, self.design, self.contrast, self.r_name = QUESTIONS[name]
        adata = read(realdata, folder)
        if name == "hapmap":
            adata = adata[adata.obs["study"] != "Cheung"].copy()
        if name == "gse60450":
            adata = adata[adata.obs["cell_type"] == "basal"].copy()
        if name == "seqc_lanes":
            early = adata.obs["lane"].isin(["L01", "L02", "L03", "L04"])
            adata.obs["half"] = np.where(early, "first", "second")
        dex.pp.filter_genes(adata, design=self.design)
        self.name, self.adata, self.numbers = name, adata, NUMBERS.loc[name]
        table = REFERENCE / f"{name}.csv.gz"
        self.r = pd.read_csv(table, dtype={"gene": str}).set_index("gene")
        if name == "seqc_lanes":
            total = pd.Series(np.asarray(adata.X.sum(axis=0)).ravel(), adata.var_names)
            self.r = self.r[(total[self.r.index] < BIG).to_numpy()]

    def ask(self, **options):
        question = {"contrasts": self.contrast, "method": "edger", **options}
        dex.tl.rank_genes(self.adata, design=self.design, **question)
        table = dex.get.rank_genes_df(self.adata).set_index("gene")
        fit = dex.get.fit_df(self.adata).set_index("gene")
        return table, table.loc[self.r.index], fit.loc[self.r.index]

    @property
    def shared(self):
        return self.adata.uns["rank_genes"]["shared"]


@pytest.fixture(scope="module", params=QUESTIONS)
def case(realdata, request):
    return Case(realdata, request.param)


def assert_close(found, expected, rtol, *, atol=0.0, all_but=0):
    error = np.abs(found - expected).to_numpy()
    beyond = ~(error <= atol + rtol * np.abs(expected.to_numpy()))
    assert beyond.sum() <= all_but, (found[beyond], expected[beyond])


def n_significant(table):
    return int((table["padj"] < 0.05).sum())


def test_quasi_likelihood(case):
    table, some, fit = case.ask()
    assert len(table) == case.numbers.n_genes
    assert case.shared["dispersion"] == pytest.approx(case.numbers.dispersion, rel=OPTIMISED)
    typical = case.shared["typical_quasi_dispersion"]
    assert typical == pytest.approx(case.numbers.average_ql, rel=MOMENTS)
    assert_close(some["log2fc"], case.r.log2fc, 0, atol=GLM_STOPS)
    deviance = (fit["quasi_dispersion"] * fit["df_residual"]).fillna(0.0)
    assert_close(deviance, case.r.deviance_adj, MOMENTS, atol=1e-6)
    assert_close(fit["df_residual"], case.r.df_adj, MOMENTS, atol=1e-6)
    prior = 2e-2 if case.name == "seqc_lanes" else MOMENTS  # edgeR's has the big counts in it
    assert_close(some["df"], case.r.df_total, prior)
    assert_close(fit["quasi_dispersion_post"], case.r.s2_post, MOMENTS, all_but=2)
    assert_close(some["stat"], case.r.F, MOMENTS, atol=1e-5, all_but=2)
    assert_close(some["log10_pval"], case.r.log10_pval, MOMENTS, atol=1e-5, all_but=2)
    assert n_significant(table) == pytest.approx(case.numbers.n_ql, rel=1e-3, abs=1)


def test_the_same_genes_are_found(case, realdata):
    if case.r_name is None:
        pytest.skip("no full table of edgeR's")
    path = realdata.parent / "reference" / "R" / case.r_name / "edger_ql.csv.gz"
    r = pd.read_csv(path, dtype={"gene": str}).set_index("gene")
    table, _, _ = case.ask()
    assert set(table.index) == set(r.index)
    both = table.loc[r.index]
    ours, theirs = (both["padj"] < 0.05).to_numpy(), (r["FDR"] < 0.05).to_numpy()
    assert (ours & theirs).sum() >= SAME_SET * (ours | theirs).sum()
    error = np.abs(both["stat"] / r["F"] - 1)[r["F"] > 1e-3]
    assert error.quantile(0.99) < 2 * MOMENTS


def test_robust(case):
    table, some, _ = case.ask(robust=True)
    if case.name != "seqc_lanes":
        assert_close(some["df"], case.r.df_total_robust, MOMENTS)
        assert_close(some["log10_pval"], case.r.log10_pval_robust, MOMENTS, atol=1e-5, all_but=2)
    assert n_significant(table) == pytest.approx(case.numbers.n_robust, rel=1e-3, abs=1)


def test_legacy(case):
    table, some, fit = case.ask(legacy=True)
    assert case.shared["dispersion"] == pytest.approx(case.numbers.common, rel=OPTIMISED)
    assert_close(
        fit["abundance"], case.r.ave_log_cpm, 0, atol=3e-5
    )  # the common dispersion moves it
    assert_close(fit["dispersion_trend"], case.r.trended, 1e-3)
    if case.name == "seqc_lanes":
        assert n_significant(table) <= case.numbers.n_legacy
        return
    assert_close(some["df"], case.r.df_total_legacy, 1e-5)
    assert_close(some["stat"], case.r.F_legacy, 1e-4, atol=1e-5, all_but=2)
    assert_close(some["log10_pval"], case.r.log10_pval_legacy, 1e-4, atol=1e-5, all_but=2)
    assert n_significant(table) == case.numbers.n_legacy


def test_likelihood_ratios(case):
    table, some, fit = case.ask(method="edger_lrt")
    if case.name == "seqc_lanes":
        assert n_significant(table) <= case.numbers.n_lrt
        return
    assert_close(fit["dispersion"], case.r.tagwise, TAGWISE, all_but=3)
    assert_close(some["stat"], case.r.lr, TAGWISE / 10, atol=1e-5, all_but=3)
    assert_close(some["log2fc"], case.r.log2fc_lrt, 0, atol=10 * GLM_STOPS)
    assert n_significant(table) == pytest.approx(case.numbers.n_lrt, rel=1e-3, abs=1)


def test_thresholds_and_several_coefficients(case):
    table, some, _ = case.ask(lfc=1.0)
    theirs = case.r.treat_log10_pval
    assert_close(some["log10_pval"], theirs, 5 * MOMENTS, atol=1e-5, all_but=2)
    assert n_significant(table) == case.numbers.n_treat
    n_coefs = len(case.adata.uns["rank_genes"]["params"]["design_columns"])
    table, some, _ = case.ask(contrasts=list(np.eye(n_coefs)[1:]), test="any")
    assert_close(some["stat"], case.r.F_any, MOMENTS, all_but=2)
    assert n_significant(table) == pytest.approx(case.numbers.n_any, rel=1e-3, abs=1)


@pytest.mark.parametrize(
    ("name", "folder", "file", "design", "contrast"),
    [
        ("kallisto", "airway_kallisto", "est_counts.csv.gz", *QUESTIONS["airway"][1:3]),
        ("macrophage", "macrophage", "counts.csv.gz", *QUESTIONS["macrophage"][1:3]),
    ],
)
def test_transcript_lengths(realdata, name, folder, file, design, contrast):
    path = realdata / folder
    adata = dex.io.read_counts(path / file, samples=path / "samples.csv")
    lengths = pd.read_csv(path / "avg_tx_length.csv.gz", index_col=0)
    adata.layers["lengths"] = lengths.loc[adata.var_names, adata.obs_names].to_numpy().T
    dex.pp.filter_genes(adata, design=design)
    question = {"design": design, "contrasts": contrast, "lengths": "lengths"}
    dex.tl.rank_genes(adata, method="edger", **question)
    table = dex.get.rank_genes_df(adata).set_index("gene")
    r = pd.read_csv(REFERENCE / f"{name}_lengths.csv.gz", dtype={"gene": str}).set_index("gene")
    some, fit = table.loc[r.index], dex.get.fit_df(adata).set_index("gene").loc[r.index]
    assert len(table) == r["n_genes"].iloc[0]
    shared = adata.uns["rank_genes"]["shared"]
    assert shared["dispersion"] == pytest.approx(r["dispersion"].iloc[0], rel=OPTIMISED)
    assert_close(fit["abundance"], r.ave_log_cpm, 0, atol=1e-6)
    assert_close(some["log2fc"], r.log2fc, 0, atol=5 * GLM_STOPS)
    assert_close(some["stat"], r.F, 2 * MOMENTS, atol=2e-4, all_but=2)
    assert_close(some["log10_pval"], r.log10_pval, 2 * MOMENTS, atol=2e-4, all_but=2)
    assert n_significant(table) == pytest.approx(r["n_ql"].iloc[0], rel=1e-3, abs=1)


def test_technical_lanes_have_no_dispersion(realdata):
    case = Case(realdata, "seqc_lanes")
    table, _, _ = case.ask()
    assert case.shared["dispersion"] < 5e-5
    assert case.shared["typical_quasi_dispersion"] == 1
    assert n_significant(table) <= case.numbers.n_ql  # a true null
    assert (table["pval"] < 0.05).mean() == pytest.approx(0.05, abs=0.01)


TAQMAN_R, TAQMAN_MAD, ERCC_SD = 0.9394098, 0.2803354, 0.2204428
"""Of edgeR's: correlation with TaqMan's log2 ratios of B and A, median absolute distance from them,
and the standard deviation of what ERCC spikes differ from the ratios that were mixed."""
LAST_DIGIT = 1e-6


def test_seqc_truths_are_met_as_by_edger(realdata):
    adata = read(realdata, "seqc_coh")
    dex.pp.filter_genes(adata, design="~ 0 + group")
    dex.tl.rank_genes(adata, design="~ 0 + group", contrasts=("group", "B", "A"), method="edger")
    log2fc = dex.get.rank_genes_df(adata).set_index("gene")["log2fc"]
    taqman = pd.read_csv(realdata / "seqc_coh" / "taqman.csv.gz", dtype={"EntrezID": str})
    numbers = {s: [f"{s}{i}" for i in range(1, 5)] for s in "AB"}
    seen = (taqman[[f"{n}_detection" for s in numbers.values() for n in s]] == "P").all(axis=1)
    means = {s: np.log2(taqman[[f"{n}_value" for n in numbers[s]]]).mean(axis=1) for s in numbers}
    truth = (means["B"] - means["A"]).set_axis(taqman["EntrezID"])[seen.to_numpy()]
    truth = truth[~truth.index.duplicated()]
    both = log2fc.index.intersection(truth.index)
    off = log2fc[both] - truth[both]
    assert np.corrcoef(log2fc[both], truth[both])[0, 1] >= TAQMAN_R - LAST_DIGIT
    assert (off - off.median()).abs().median() <= TAQMAN_MAD + LAST_DIGIT
    mixed = pd.read_csv(realdata / "ercc" / "ERCC_Controls_Analysis.tsv", sep="\t", index_col=1)
    spikes = log2fc[log2fc.index.str.startswith("ERCC")]
    assert (spikes + mixed.iloc[:, -1][spikes.index]).std() <= ERCC_SD + LAST_DIGIT


def test_titration_keeps_its_order(realdata):
    adata = read(realdata, "seqc_coh")
    dex.pp.filter_genes(adata, design="~ 0 + group")
    contrasts = {"BA": "B - A", "DC": "D - C"}
    dex.tl.rank_genes(adata, design="~ 0 + group", contrasts=contrasts, method="edger")
    tables = [dex.get.rank_genes_df(adata, name).set_index("gene") for name in contrasts]
    clear = tables[0][(tables[0]["padj"] < 1e-3) & (tables[0]["log2fc"].abs() > 1)].index
    same = np.sign(tables[0]["log2fc"][clear]) == np.sign(tables[1]["log2fc"][clear])
    assert len(clear) > 5000
    assert same.mean() > 0.995


@pytest.mark.parametrize("how", ["ql", "robust", "legacy"])
def test_splits_of_wild_type_yeast_find_no_more_than_edger(realdata, how):
    adata = read(realdata, "schurch_yeast")
    splits = pd.read_csv(REFERENCE / "yeast.csv.gz")
    splits = splits[splits["how"] == how]
    options = {"ql": {}, "robust": {"robust": True}, "legacy": {"legacy": True}}[how]
    below, found = [], []
    for names in splits["chosen"]:
        split = adata[names.split()].copy()
        split.obs["side"] = np.repeat(["a", "b"], split.n_obs // 2)
        dex.pp.filter_genes(split, groupby="side")
        dex.tl.rank_genes(split, design="~ side", method="edger", **options)
        table = dex.get.rank_genes_df(split)
        below.append((table["pval"] < 0.05).mean())
        found.append(n_significant(table))
    assert np.mean(below) <= splits["below"].mean() + 5e-4
    assert np.sum(found) <= splits["fdr"].sum() * 1.01 + 1
