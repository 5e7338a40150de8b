"""One fit, many contrasts, now or from a file: to the last bit what one call gives."""

from __future__ import annotations

import numpy as np
import pytest

import dex
from dex.errors import InputError

QUESTIONS = [
    {"contrasts": ("condition", "b", "a")},
    {"contrasts": {"mid": "(a + c) / 2 - b", "slope": "age"}},
    {"contrasts": [0, 1, 0, 0]},
    {"contrasts": "condition[T.c]"},
    {"groupby": "condition"},
    {"groupby": "condition", "test": "any"},
    {"contrasts": ("condition", "b", "a"), "lfc": 0.5, "alternative": "greater"},
    {"contrasts": ("condition", "b", "a"), "vcov": "HC3"},
    {"groupby": "condition", "test": "any", "vcov": "HC3"},
]
DESIGN = "~ condition + age"
SAME_ROUNDING = 1e-11  # the design's rows are decomposed in another order


@pytest.fixture
def adata(three_groups):
    three_groups.obs["age"] = np.random.default_rng(1).normal(50, 10, three_groups.n_obs)
    three_groups.X[:, 3] = 0
    return three_groups


def assert_same_result(one, other, key="rank_genes"):
    names = [str(name) for name in one.uns[key]["columns"]]
    assert names == [str(name) for name in other.uns[key]["columns"]]
    for name in names:
        np.testing.assert_array_equal(one.varm[f"{key}_{name}"], other.varm[f"{key}_{name}"])
    for field in ("name", "kind", "group", "reference", "n_group", "n_reference"):
        assert list(one.uns[key]["tests"][field]) == list(other.uns[key]["tests"][field])


@pytest.mark.parametrize("question", QUESTIONS, ids=str)
@pytest.mark.parametrize("suffix", ["", ".h5ad", ".zarr"])
def test_a_fit_tested_later_gives_the_bits_of_one_call(adata, tmp_path, question, suffix):
    whole = adata.copy()
    dex.tl.rank_genes(whole, design=DESIGN, method="ols", **question)
    dex.tl.fit(adata, DESIGN, method="ols")
    if suffix:
        path = tmp_path / f"fit{suffix}"
        getattr(dex.io, f"write_{suffix[1:]}")(adata, path)
        adata = getattr(dex.io, f"read_{suffix[1:]}")(path)
    dex.tl.contrast(adata, **question)
    assert_same_result(adata, whole)


def test_a_fit_outlives_its_contrasts(adata):
    dex.tl.fit(adata, DESIGN, method="ols")
    before = {name: np.array(values) for name, values in adata.varm.items()}
    dex.tl.contrast(adata, ("condition", "b", "a"), key_added="ba")
    dex.tl.contrast(adata, ("condition", "c", "a"), key_added="ca")
    for name, values in before.items():
        np.testing.assert_array_equal(adata.varm[name], values)
    assert adata.uns["ba"]["params"]["fit_key"] == "fit"


def test_what_lies_where(adata):
    adata.obs.loc[adata.obs_names[2], "age"] = np.nan
    adata.var["some"] = np.arange(adata.n_vars) > 4
    dex.tl.fit(adata, DESIGN, method="ols", mask_var="some", key_added="model")
    coef, design = adata.varm["model_coef"], adata.obsm["model_design"]
    assert coef.shape == (adata.n_vars, 4)
    assert np.isnan(coef[:5]).all()
    assert np.isfinite(coef[5:]).all()
    np.testing.assert_array_equal(np.isnan(design).any(axis=1), np.arange(adata.n_obs) == 2)
    assert adata.var["model_tested"].tolist() == adata.var["some"].tolist()
    assert adata.uns["model"]["params"]["design"] == DESIGN
    assert list(adata.uns["model"]["params"]["design_columns"]) == [
        "Intercept",
        "condition[T.b]",
        "condition[T.c]",
        "age",
    ]


def test_a_new_fit_replaces_exactly_the_old_one(adata):
    adata.varm["fit_mine"] = np.zeros((adata.n_vars, 1))
    dex.tl.fit(adata, DESIGN, method="ols")
    dex.tl.fit(adata, np.ones((adata.n_obs, 1)), method="ols")
    assert {name for name in adata.varm if name.startswith("fit")} == {"fit_mine", "fit_coef"}
    assert set(adata.obsm) == {"fit_design"}


def test_a_gene_subset_is_tested_without_means(adata, caplog):
    dex.tl.fit(adata, DESIGN, method="ols")
    some = adata[:, 5:30].copy()
    dex.tl.contrast(adata, ("condition", "b", "a"))
    dex.tl.contrast(some, ("condition", "b", "a"))
    assert "The genes have changed since the fit: results are as fitted" in caplog.text
    np.testing.assert_array_equal(some.varm["rank_genes_stat"], adata.varm["rank_genes_stat"][5:30])
    assert "mean_group" not in list(some.uns["rank_genes"]["columns"])


def _relabelled(adata):
    labels = adata.obs["condition"].astype(str)
    labels.iloc[0] = "c"
    adata.obs["condition"] = labels
    return adata


def _without(adata, column):
    del adata.obs[column]
    return adata


def _other_counts(adata):
    adata.X[0, 0] += 1
    return adata


@pytest.mark.parametrize(
    ("change", "question", "words"),
    [
        (lambda a: a[:-1].copy(), {}, "14 of the 15 observations that were fitted"),
        (_relabelled, {}, "obs['condition'] has changed since the fit in 1"),
        (lambda a: _without(a, "condition"), {}, "obs['condition'] was fitted and is gone"),
        (_other_counts, {"vcov": "HC3"}, "X has changed since the fit 'fit'"),
        (lambda a: a, {"fit_key": "other"}, "fit_key='other': no fit there; there is 'fit'"),
        (lambda a: a, {"robustly": True}, "robustly=True is no option; method='ols' takes 'vcov'"),
        (lambda a: a, {"vcov": "HC0"}, "vcov='HC0' is not known"),
    ],
)
def test_what_cannot_be_tested_any_more(adata, change, question, words, unchanged):
    dex.tl.fit(adata, DESIGN, method="ols")
    changed = change(adata)
    with unchanged(changed), pytest.raises(InputError) as error:
        dex.tl.contrast(changed, ("condition", "b", "a"), **question)
    assert words in str(error.value)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"method": "wilcoxon"}, "method='wilcoxon' fits no design; 'ols'"),
        ({"vcov": "HC3"}, "vcov='HC3' belongs to the test: give it to dex.tl.contrast"),
        ({"block": "age"}, "block='age': 'ols' knows no repeated measures"),
        ({"key_added": "taken"}, "adata.uns['taken'] is no fit; choose another name"),
        ({"key_added": "a/b"}, "without '/'"),
    ],
)
def test_what_cannot_be_fitted(adata, options, words, unchanged):
    adata.uns["taken"] = {"mine": 1}
    with unchanged(adata), pytest.raises(InputError) as error:
        dex.tl.fit(adata, DESIGN, **{"method": "ols", **options})
    assert words in str(error.value)


def test_observations_in_another_order_are_the_same(adata):
    dex.tl.fit(adata, DESIGN, method="ols")
    turned = adata[::-1].copy()
    dex.tl.contrast(adata, ("condition", "b", "a"))
    dex.tl.contrast(turned, ("condition", "b", "a"))
    for name in ("log2fc", "stat", "log10_pval"):
        values = adata.varm[f"rank_genes_{name}"]
        np.testing.assert_allclose(
            turned.varm[f"rank_genes_{name}"], values, rtol=SAME_ROUNDING, equal_nan=True
        )


def test_a_side_of_one_sample_is_said(caplog):
    adata = dex.datasets.simulate_counts(100, 4, seed=0)[:5].copy()
    dex.tl.rank_genes(adata, "condition", method="limma")
    assert "'treated vs control': one side is a single observation" in caplog.text
    caplog.clear()
    both = dex.datasets.simulate_counts(100, 4, seed=0)
    dex.tl.rank_genes(both, "condition", method="limma")
    assert "single observation" not in caplog.text
