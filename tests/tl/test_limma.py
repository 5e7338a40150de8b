"""limma and limma-voom from values to statistics: equal to R, and one number per question."""

from __future__ import annotations

from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest

import dex
from dex.errors import InputError

REFERENCE = Path(__file__).parents[1] / "reference"
SAMPLES = pd.read_csv(REFERENCE / "limma" / "samples.csv")
VARYING = np.setdiff1d(np.arange(120), [40, 41, 42])
SAME = 1e-8
CORRELATED = 1e-4  # limma's correlations are converged to 1e-5 or so at its defaults
LIKELIHOOD = 1e-6  # unequal df, see tests/stats/test_ebayes.py
SCORING = 1e-6  # sample weights, see tests/stats/test_voom.py
PAIRS = {"b_a": ("condition", "b", "a"), "c_a": ("condition", "c", "a"), "c_b": "c - b"}
DESIGN = "~ batch + condition"


def table(folder, name):
    return pd.read_csv(REFERENCE / folder / f"{name}.csv.gz").to_numpy(dtype=float)


def adata_of(values):
    obs = SAMPLES.set_index(pd.Index([f"s{i}" for i in range(len(SAMPLES))]))
    var = pd.DataFrame(index=[f"g{j}" for j in range(values.shape[1])])
    return ad.AnnData(values.copy(), obs=obs, var=var)


def counts():
    return adata_of(table("voom", "counts"))


def logs(name="values", genes=VARYING):
    return adata_of(table("limma", name)[:, genes])


def ranked(adata, **options):
    asked = {"design": DESIGN, "contrasts": PAIRS}
    logs = options["method"] == "limma"
    asked |= {"scale": "logcpm"} if logs else {"size_factors": "library"}
    dex.tl.rank_genes(adata, **asked, **options)
    return adata


@pytest.mark.parametrize(
    ("name", "term", "n_terms"), [("bs", "bs(age, df=4)", 4), ("ns", "ns(age, df=3)", 3)]
)
def test_splines_span_rs(name, term, n_terms):
    adata = logs(genes=np.arange(120))
    joint = list(np.eye(3 + n_terms)[3:])
    settings = {"method": "limma", "scale": "logcpm", "test": "any"}
    dex.tl.rank_genes(adata, design=f"~ condition + {term}", contrasts=joint, **settings)
    theirs = pd.read_csv(REFERENCE / "limma" / "splines.csv.gz")[name]
    found = adata.varm["rank_genes_stat"][VARYING, 0]
    np.testing.assert_allclose(found, theirs.to_numpy()[VARYING], rtol=SAME)


@pytest.mark.parametrize(
    ("case", "make", "options", "rtol"),
    [
        ("voom", counts, {"method": "limma_voom"}, SAME),
        (
            "voom_robust",
            counts,
            {"method": "limma_voom", "span": "adaptive", "robust": True, "trend": True},
            SAME,
        ),
        ("voom_quality", counts, {"method": "limma_voom", "sample_weights": True}, SAME),
        ("voom_block", counts, {"method": "limma_voom", "block": "person"}, CORRELATED),
        ("limma_block", logs, {"method": "limma", "block": "person"}, CORRELATED),
        ("limma_quality", logs, {"method": "limma", "sample_weights": True}, SCORING),
        (
            "limma_gaps",
            lambda: logs("gaps", np.delete(np.arange(120), 60)),
            {"method": "limma", "robust": True},
            LIKELIHOOD,
        ),
    ],
)
def test_equals_limma(case, make, options, rtol, column):
    adata = ranked(make(), **options)
    limma = pd.read_csv(REFERENCE / "voom" / f"door_{case}.csv.gz")
    zero = ~np.asarray(adata.X).any(axis=0)
    for t, name in enumerate(PAIRS):
        for statistic in ("log2fc", "stat", "log10_pval", "lods"):
            ours = column(adata, statistic)[~zero, t]
            theirs = limma[f"{name}.{statistic}"].to_numpy()[~zero].copy()
            if "gaps" in case:
                if statistic == "lods":
                    continue  # they depend on how many genes have the contrast
                # limma's b - a and c - a of genes without a are something else
                theirs[np.isnan(ours)] = np.nan
            np.testing.assert_allclose(ours, theirs, rtol=rtol, atol=rtol)
    if case == "limma_gaps":
        status = column(adata, "status")
        assert (status[[61, 62]] == dex.results.schema.Status.NOT_ESTIMABLE)[:, 1].all()


METHODS = [
    (counts, {"method": "limma_voom"}),
    (counts, {"method": "limma_voom", "sample_weights": True}),
    (logs, {"method": "limma"}),
    (lambda: logs("gaps"), {"method": "limma"}),
]
ids = ["voom", "voom_quality", "limma", "limma_gaps"]
STATISTICS = ("log2fc", "log2fc_se", "stat", "log10_pval", "lods", "log2fc_low", "log2fc_high")
ROUNDING = 1e-8


def same(one, other, column, *, sign=1.0, rtol=ROUNDING):
    for name in STATISTICS:
        theirs = column(other, name)
        if name in {"log2fc", "stat"}:
            theirs = sign * theirs
        if sign < 0 and name in {"log2fc_low", "log2fc_high"}:
            theirs = -column(other, {"log2fc_low": "log2fc_high"}.get(name, "log2fc_low"))
        np.testing.assert_allclose(column(one, name), theirs, rtol=rtol, atol=1e-9)


@pytest.mark.parametrize(("make", "options"), METHODS, ids=ids)
class TestOneNumberPerQuestion:
    def ask(self, make, options, contrasts, change=lambda adata: adata, design=DESIGN):
        adata = change(make())
        scale = {"scale": "logcpm"} if options["method"] == "limma" else {}
        dex.tl.rank_genes(adata, design=design, contrasts=contrasts, **scale, **options)
        return adata

    def test_ways_to_ask(self, make, options, column):
        one = self.ask(make, options, ("condition", "b", "a"))
        for other in ("b - a", "condition[T.b]", [0, 0, 1, 0]):
            same(one, self.ask(make, options, other), column, rtol=1e-12)

    def test_swapped(self, make, options, column):
        one = self.ask(make, options, ("condition", "b", "a"))
        same(one, self.ask(make, options, ("condition", "a", "b")), column, sign=-1, rtol=1e-12)

    def test_other_names_and_reference(self, make, options, column):
        def rename(adata):
            new = adata.obs["condition"].map({"a": "zeta", "b": "beta", "c": "alpha"})
            adata.obs["condition"] = pd.Categorical(new, ["alpha", "beta", "zeta"])
            return adata

        one = self.ask(make, options, {"x": "c - b", "y": ("condition", "b", "a")})
        asked = {"x": "alpha - beta", "y": ("condition", "beta", "zeta")}
        same(one, self.ask(make, options, asked, rename), column)
        same(one, self.ask(make, options, asked, rename, "~ 0 + condition + batch"), column)

    def test_any(self, make, options, column):
        stats = []
        for design in (DESIGN, "~ 0 + condition + batch"):
            adata = make()
            scale = {"scale": "logcpm"} if options["method"] == "limma" else {}
            dex.tl.rank_genes(adata, "condition", design=design, test="any", **scale, **options)
            stats.append(column(adata, "stat"))
        np.testing.assert_allclose(*stats, rtol=ROUNDING)

    def test_genes_and_samples_in_another_order(self, make, options, column):
        if options.get("sample_weights"):
            pytest.skip("gene-by-gene weights depend on the order of genes, as limma's do")
        rng = np.random.default_rng(3)
        one = self.ask(make, options, PAIRS)
        genes, rows = rng.permutation(one.n_vars), rng.permutation(one.n_obs)
        other = self.ask(make, options, PAIRS, lambda adata: adata[rows][:, genes].copy())
        same(one[:, genes], other, column)

    @pytest.mark.parametrize("suffix", ["h5ad", "zarr"])
    def test_tested_from_a_file(self, make, options, suffix, tmp_path, column):
        one = self.ask(make, options, PAIRS)
        adata = make()
        scale = {"scale": "logcpm"} if options["method"] == "limma" else {}
        dex.tl.fit(adata, DESIGN, **scale, **options)
        path = tmp_path / f"fit.{suffix}"
        getattr(dex.io, f"write_{suffix}")(adata, path)
        again = getattr(dex.io, f"read_{suffix}")(path)
        dex.tl.contrast(again, PAIRS)
        for name in STATISTICS:
            np.testing.assert_array_equal(column(again, name), column(one, name))


def test_threshold_and_side(column):
    adata = ranked(counts(), method="limma_voom", lfc=0.5)
    assert "lods" not in list(adata.uns["rank_genes"]["columns"])
    two = column(adata, "log10_pval")
    near = np.abs(column(adata, "log2fc")) < 0.5
    assert (column(adata, "stat")[near & np.isfinite(two)] == 0).all()
    up = column(ranked(counts(), method="limma_voom", lfc=0.5, alternative="greater"), "log10_pval")
    rising = column(adata, "log2fc") > 0.5
    assert (up[rising] <= two[rising]).all()


def test_confidence(column):
    wide, narrow = (
        ranked(counts(), method="limma_voom", conf_level=level) for level in (0.99, 0.5)
    )
    low, high = column(narrow, "log2fc_low"), column(narrow, "log2fc_high")
    known = np.isfinite(low)
    assert (column(wide, "log2fc_low")[known] < low[known]).all()
    assert ((low < column(narrow, "log2fc")) & (column(narrow, "log2fc") < high))[known].all()


def test_natural_logs_are_told_in_log2(column):
    one, other = logs(), logs()
    other.X *= np.log(2)
    dex.tl.rank_genes(one, design=DESIGN, contrasts=PAIRS, method="limma", scale="log2p1")
    dex.tl.rank_genes(other, design=DESIGN, contrasts=PAIRS, method="limma", scale="ln1p")
    same(one, other, column)


def test_given_sample_weights(column):
    adata = counts()
    adata.obs["trust"] = np.linspace(1, 2, adata.n_obs)
    ranked(adata, method="limma_voom", sample_weights="trust")
    other = counts()
    other.obs["trust"] = 10 * adata.obs["trust"].to_numpy()
    ranked(other, method="limma_voom", sample_weights="trust", robust=True)
    assert np.isfinite(column(adata, "stat")).any()
    assert not np.allclose(column(adata, "stat"), column(other, "stat"), equal_nan=True)


def test_sample_weights_are_kept():
    adata = counts()
    dex.tl.fit(adata, DESIGN, method="limma_voom", sample_weights=True)
    weights = adata.obs["fit_sample_weights"].to_numpy()
    assert weights.argmin() == 7  # the poor one
    np.testing.assert_allclose(np.prod(weights), 1)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"block": "nobody"}, "block='nobody' is not in obs"),
        ({"block": "each"}, "every observation has its own"),
        ({"block": "one"}, "all observations are in one"),
        ({"block": "holes"}, "block='holes' is missing in 's2'"),
        ({"sample_weights": "condition"}, "obs['condition'] must be positive numbers"),
        ({"sample_weights": 3}, "give True, False or a column of obs"),
        ({"span": 2}, "span=2: give a share of the genes"),
        ({"trend": "yes"}, "trend='yes' is not known"),
        ({"conf_level": 95}, "conf_level=95 is no probability"),
    ],
)
def test_what_cannot_be(options, words, unchanged):
    adata = counts()
    adata.obs["each"] = [f"p{i}" for i in range(adata.n_obs)]
    adata.obs["one"] = "a"
    adata.obs["holes"] = ["a", "a", None, *["b"] * 9]
    with unchanged(adata), pytest.raises(InputError) as error:
        dex.tl.rank_genes(adata, design=DESIGN, method="limma_voom", **options)
    assert words in str(error.value)


def test_no_residual_degrees_of_freedom(column):
    adata = counts()[[0, 4, 9]].copy()
    dex.tl.rank_genes(adata, design="~ condition", method="limma_voom", size_factors="library")
    assert np.isnan(column(adata, "pval")).all()
    assert np.isfinite(column(adata, "log2fc")).sum() > 100
