"""What ``block=`` does to false and to true findings, in data with a known truth."""

from __future__ import annotations

import anndata as ad
import numpy as np
import pandas as pd
import pytest

import dex

LEVEL = 0.05


@pytest.fixture
def rng():
    return np.random.default_rng(20240612)


def rejected(values, **columns):
    """Share of the genes below the level, by the options tested."""
    obs = pd.DataFrame({name: pd.Categorical(labels) for name, labels in columns.items()})
    obs.index = obs.index.astype(str)
    adata = ad.AnnData(values, obs=obs)

    def share(**options):
        options = {"method": "wilcoxon", "scale": "log2", "unit": "cells"} | options
        dex.tl.rank_genes(adata, "group", replicate=None, **options)
        return np.mean(np.asarray(adata.varm["rank_genes_pval"]) < LEVEL)

    return share


def margin(share, n_genes):
    """Four standard errors."""
    return 4 * np.sqrt(share * (1 - share) / n_genes)


@pytest.mark.parametrize("weights", ["optimal", "design-free"])
def test_level_between_strong_strata_of_unlike_shares(rng, weights):
    strata = np.repeat([0, 1, 2], [30, 60, 110])
    group = np.where(rng.random(200) < np.array([0.2, 0.5, 0.8])[strata], "a", "b")
    values = rng.poisson(np.array([0.3, 2.0, 9.0])[strata][:, None], (200, 20_000)).astype(float)
    share = rejected(values, group=group, batch=strata)
    assert share() > 0.9
    for alternative in ("two-sided", "greater", "less"):
        found = share(block="batch", weights=weights, alternative=alternative)
        assert abs(found - LEVEL) < margin(LEVEL, 20_000)


def test_locally_best_weights_are_best(rng):
    """A shift that all strata share is found more often than with strata that count the same."""
    group = np.tile(["a", "b"], 110)
    values = rng.normal(size=(220, 3000)) + 0.3 * (group == "a")[:, None]
    share = rejected(values, group=group, batch=np.repeat([0, 1], [20, 200]))
    assert share(block="batch") > share(block="batch", weights="design-free") + 0.1


@pytest.mark.parametrize(("interaction", "expected"), [(0.0, 0.05), (0.1, 0.16), (0.2, 0.36)])
def test_strata_do_not_make_cells_independent(rng, interaction, expected):
    """The numbers in the documentation of ``block``: 200 cells of 6 donors in each condition."""
    donor, code = np.repeat(np.arange(6), 400), np.tile([0, 1], 1200)
    effects = rng.normal(0, interaction, (6, 1500))
    values = rng.normal(size=(2400, 1500)) + effects[donor] * code[:, None]
    share = rejected(values, group=np.where(code, "treated", "control"), donor=donor)
    assert abs(share(block="donor") - expected) < margin(expected, 1500)
