"""Every perturbation at its own gene is what the whole table says of it."""

from __future__ import annotations

import anndata as ad
import numpy as np
import pandas as pd
import pytest

import dex
from dex.errors import InputError

GENES = [f"ENSG{j}" for j in range(30)]
SYMBOLS = [f"SYM{j}" for j in range(30)]


@pytest.fixture
def screen() -> ad.AnnData:
    """40 cells of control and of guides against genes 3, 5 and 9, of which 5 does nothing."""
    rng = np.random.default_rng(2)
    guides = np.repeat(["control", "ENSG3", "ENSG5", "g9"], 40)
    X = rng.poisson(3.0, (160, 30)).astype(float)
    X[40:80, 3] = rng.poisson(0.4, 40)
    X[120:, 9] = 0
    obs = pd.DataFrame(
        {
            "guide": guides,
            "target": np.repeat([None, "ENSG3", "ENSG5", "ENSG9"], 40),
            "plate": np.resize(["p1", "p2"], 160),
        },
        index=[f"cell{i}" for i in range(160)],
    )
    adata = ad.AnnData(X, obs, pd.DataFrame({"symbol": SYMBOLS}, index=GENES))
    options = {"reference": "control", "method": "wilcoxon", "unit": "cells", "replicate": None}
    dex.tl.rank_genes(adata, "guide", **options)
    return adata


def test_rows_are_those_of_the_table(screen):
    table = dex.get.on_target_df(screen).set_index("group")
    for group in ("ENSG3", "ENSG5"):
        whole = dex.get.rank_genes_df(screen, group)
        row = whole[whole["gene"] == group].iloc[0]
        for name in ("log2fc", "stat", "pval", "padj", "log10_pval", "log10_padj", "auc", "status"):
            assert table.loc[group, name] == row[name]
        assert table.loc[group, "rank"] == 1 + (whole["log10_pval"] < row["log10_pval"]).sum()
        left = row["mean_group"] / row["mean_reference"]
        assert table.loc[group, "fraction_left"] == pytest.approx(left)
        assert table.loc[group, "n_ranked"] == 30
    assert table.loc["ENSG3", "rank"] == 1
    assert table.loc["ENSG3", "fraction_left"] < 0.4


def test_a_group_without_a_gene_says_so(screen):
    row = dex.get.on_target_df(screen).set_index("group").loc["g9"]
    assert row["message"] == "no gene is called 'g9'"
    assert row[["target", "log2fc", "rank", "fraction_left"]].isna().all()
    assert pd.isna(row["status"])


@pytest.mark.parametrize("targets", ["target", {"ENSG3": "ENSG3", "ENSG5": "ENSG5", "g9": "ENSG9"}])
def test_targets_from_a_column_or_given(screen, targets):
    table = dex.get.on_target_df(screen, targets=targets).set_index("group")
    assert table["target"].tolist() == ["ENSG3", "ENSG5", "ENSG9"]
    assert table.loc["g9", "fraction_left"] == 0
    assert (table["message"] == "").all()


def test_a_group_that_is_not_given_a_target(screen):
    table = dex.get.on_target_df(screen, targets={"g9": "ENSG9"}).set_index("group")
    assert table.loc["ENSG3", "message"] == "no target is given"
    assert table.loc["g9", "rank"] == 1


def test_symbols_are_genes_too(screen):
    table = dex.get.on_target_df(screen, targets={"g9": "SYM9"}, gene_symbols="symbol")
    assert table["target"].tolist()[2] == "SYM9"
    by_id = dex.get.on_target_df(screen, targets={"g9": "ENSG9"}, gene_symbols="symbol")
    pd.testing.assert_frame_equal(table, by_id)


def test_only_what_is_stored_is_given(screen):
    dex.tl.rank_genes(
        screen, "guide", reference="control", method="wilcoxon", unit="cells", stats=[]
    )
    table = dex.get.on_target_df(screen)
    assert {"log2fc", "rank", "log10_pval"} <= set(table)
    assert not {"fraction_left", "pval", "status"} & set(table)


@pytest.mark.parametrize(
    ("targets", "says"),
    [
        ("plate", "name several genes"),
        ("colour", "no column 'colour'"),
        ({"nobody": "ENSG1"}, "are no groups of"),
        ({"ENSG3": "TP53"}, "none of the 3 groups"),
    ],
)
def test_what_cannot_be_read_is_refused(screen, targets, says):
    with pytest.raises(InputError, match=says):
        dex.get.on_target_df(screen, targets=targets)
