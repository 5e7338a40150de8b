from __future__ import annotations

import logging

import anndata as ad
import numpy as np
import pytest

import dex
from dex.errors import InputError

FAST = {"repeats": 2, "n_cells": 15, "n_permutations": 200}
EFFECTS = {"none": 0.0, "weak": 0.6, "strong": 2.0}


def simulated(effects, *, n_donors=4, paired=False, seed=1, n_cells=30):
    """Cell types of the same donors that respond by so much (sd of log2fc of a fifth of genes)."""
    parts = []
    for t, (name, effect) in enumerate(effects.items()):
        part = dex.datasets.simulate_counts(
            150,
            n_donors,
            cells_per_replicate=n_cells,
            mean_count=0.7,
            de_fraction=0.2 if effect else 0.0,
            log2fc_sd=effect or 1.0,
            paired=paired,
            seed=100 * seed + t,
        )
        part.obs["cell_type"] = name
        part.obs_names = [f"{name}{i}" for i in range(part.n_obs)]
        parts.append(part)
    return ad.concat(parts)


@pytest.mark.parametrize("paired", [False, True])
def test_types_are_in_the_order_of_their_response(paired):
    adata = simulated(EFFECTS, n_donors=5, paired=paired)
    dex.tl.prioritize(adata, "condition", per="cell_type", replicate="replicate", **FAST)
    table = dex.get.priorities_df(adata)
    assert table["type"].tolist() == ["strong", "weak", "none"]
    assert table["auc"].iloc[0] > 0.95
    assert table["n_possible"].tolist() == [32.0 if paired else 252.0] * 3
    assert table["pval"].iloc[0] <= (2 / 32 if paired else 3 / 201)
    assert (table["padj"] >= table["pval"]).all()
    assert adata.obs.groupby("cell_type")["prioritize_auc"].nunique().tolist() == [1, 1, 1]


def test_nothing_responds_to_labels_that_mean_nothing():
    """Mean area within 4 s.e. of a half, and p at most 0.2 in a fifth of the types."""
    areas, pval = [], []
    for seed in range(12):
        adata = simulated({"a": 0.0, "b": 0.0}, seed=seed, n_cells=15)
        dex.tl.prioritize(adata, "condition", per="cell_type", replicate="replicate", **FAST)
        table = dex.get.priorities_df(adata)
        areas += table["auc"].tolist()
        pval += table["pval"].tolist()
    assert abs(np.mean(areas) - 0.5) < 4 * np.std(areas) / np.sqrt(len(areas))
    n_small = np.sum(np.array(pval) <= 0.2)
    assert n_small <= 24 * 0.2 + 4 * np.sqrt(24 * 0.2 * 0.8)


def test_cells_of_one_donor_on_both_sides_would_have_found_it():
    """What the donors are held out for: a forest that has seen their cells is never wrong."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_score

    adata = simulated({"none": 0.0}, n_cells=40, seed=3)
    dex.tl.prioritize(adata, "condition", per="cell_type", replicate="replicate", **FAST)
    honest = dex.get.priorities_df(adata)["auc"].item()
    X = np.log1p(adata.X.toarray())
    leaky = cross_val_score(
        LogisticRegression(max_iter=1000),
        X,
        adata.obs["condition"],
        cv=StratifiedKFold(3, shuffle=True, random_state=0),
        scoring="roc_auc",
    ).mean()
    assert leaky > 0.8 > honest


def test_more_cells_are_no_advantage():
    """Every donor gives as many of every type: types alike have areas alike."""
    adata = simulated({"large": 1.0}, n_cells=80)
    few = adata[adata.obs.groupby("replicate", observed=True).cumcount().to_numpy() < 15].copy()
    few.obs["cell_type"] = "small"
    few.obs_names = [f"few{i}" for i in range(few.n_obs)]
    both = ad.concat([adata, few])
    dex.tl.prioritize(both, "condition", per="cell_type", replicate="replicate", **FAST)
    large, small = dex.get.priorities_df(both).set_index("type")["auc"][["large", "small"]]
    assert abs(large - small) < 0.05


def test_one_donor_with_both_conditions_does_not_cost_the_others():
    adata = simulated({"one": 1.0}, n_donors=4)
    names = adata.obs["replicate"].astype(str)
    adata.obs["replicate"] = names.replace({"treated_4": "control_4"}).to_numpy()
    dex.tl.prioritize(adata, "condition", per="cell_type", replicate="replicate", **FAST)
    table = dex.get.priorities_df(adata)
    assert table[["n_group", "n_reference"]].iloc[0].tolist() == [3, 3]


def test_same_seed_and_any_threads_are_identical():
    one = simulated(EFFECTS)
    two = one.copy()
    for adata, n_threads in ((one, 1), (two, 2)):
        dex.tl.prioritize(
            adata,
            "condition",
            per="cell_type",
            replicate="replicate",
            seed=4,
            n_threads=n_threads,
            **FAST,
        )
    assert dex.get.priorities_df(one).equals(dex.get.priorities_df(two))


def test_types_without_donors_are_said_and_not_ranked(caplog):
    adata = simulated(EFFECTS, n_donors=3)
    gone = (adata.obs["cell_type"] == "weak") & (adata.obs["replicate"] == "treated_1")
    adata = adata[~gone.to_numpy()].copy()
    with caplog.at_level(logging.INFO, logger="dex"):
        dex.tl.prioritize(adata, "condition", per="cell_type", replicate="replicate", **FAST)
    table = dex.get.priorities_df(adata)
    assert table["type"].tolist()[-1] == "weak"
    assert np.isnan(table["auc"].iloc[-1])
    assert "'weak' not ranked" in caplog.text
    assert "p is at least 0.1 " in caplog.text
    assert table["pval"].min() >= 0.1


def test_survives_a_file(tmp_path):
    adata = simulated(EFFECTS)
    dex.tl.prioritize(adata, "condition", per="cell_type", replicate="replicate", **FAST)
    adata.write_h5ad(tmp_path / "a.h5ad")
    back = ad.read_h5ad(tmp_path / "a.h5ad")
    assert dex.get.priorities_df(back).equals(dex.get.priorities_df(adata))


@pytest.mark.realdata
def test_airways_of_few_pigs_say_little(realdata):
    """Cells tell the genotypes apart if they are of pigs that were seen, and hardly if not."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_score

    adata = ad.read_h5ad(realdata / "small_airway_cf" / "small_airway_cf.h5ad")
    dex.tl.prioritize(adata, "Genotype", per="celltype", replicate="orig.ident", repeats=3)
    table = dex.get.priorities_df(adata)
    assert table["n_possible"].tolist() == [35.0] * 3
    assert (table["pval"] > 0.05).all()
    secretory = adata[(adata.obs["celltype"] == "Secretory cell").to_numpy()]
    depth = np.asarray(secretory.X.sum(axis=1)).reshape(-1, 1)
    X = np.log1p(secretory.X.toarray() / depth * 1e4)
    folds = StratifiedKFold(3, shuffle=True, random_state=0)
    leaky = cross_val_score(
        LogisticRegression(C=0.01, max_iter=500),
        X,
        secretory.obs["Genotype"],
        cv=folds,
        scoring="roc_auc",
    )
    assert leaky.mean() > 0.9 > table["auc"].max() + 0.1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"groupby": "cell_type"}, "has 3 conditions"),
        ({"per": "type"}, "per='type'"),
        ({"n_cells": 2}, "n_cells=2 is not a whole number of at least 5"),
        ({"n_cells": 31}, "ask for fewer cells"),
        ({"key_added": "mine"}, "holds something else"),
    ],
)
def test_what_cannot_be_is_refused(options, words):
    adata = simulated(EFFECTS)
    adata.uns["mine"] = 1
    before = adata.copy()
    asked = {"groupby": "condition", "per": "cell_type", "replicate": "replicate", **options}
    with pytest.raises(InputError, match=words):
        dex.tl.prioritize(adata, asked.pop("groupby"), **asked)
    assert adata.obs.equals(before.obs)
    assert list(adata.uns) == ["mine"]
