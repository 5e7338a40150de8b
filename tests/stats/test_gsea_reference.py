"""GSEApy's multilevel method on the same list and sets: tests/reference/gsea/make.py."""

from __future__ import annotations

import os
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dex.stats.gene_sets import SetIndex
from dex.stats.gsea import gsea_test
from dex.stats.running_sum import RankedList, running_sums

FOLDER = Path(__file__).parents[1] / "reference" / "gsea"
EXACT = 1e-7  # of what the file has
TYPICAL_NES = 0.02  # of means over 1,000 random sets, which is what GSEApy has
N_ERRORS = 5.0  # as told by dex for its own
SEED_TO_SEED = 0.2  # decades, median absolute, of fgsea's p below 1e-3 between seeds

compiled = pytest.mark.skipif(
    os.environ.get("NUMBA_DISABLE_JIT") == "1", reason="minutes without a compiler"
)


@pytest.fixture(scope="module")
def table():
    return pd.read_csv(FOLDER / "gseapy.csv", index_col=0)


@pytest.fixture(scope="module")
def given():
    stat = pd.read_csv(FOLDER / "stat.csv.gz")["stat"].to_numpy()
    lines = (FOLDER / "sets.txt").read_text().splitlines()
    sets = SetIndex.of([list(map(int, line.split())) for line in lines], len(stat))
    return RankedList.from_stat(stat), sets


def test_scores(given, table):
    assert np.allclose(running_sums(*given).es, table["es"], atol=EXACT)


@pytest.fixture(scope="module")
def found(given):
    return gsea_test(*given, seed=1)


@compiled
def test_normalised_scores(found, table):
    theirs = table.filter(like="nes").mean(axis=1)
    assert np.allclose(found.nes, theirs, rtol=4 * TYPICAL_NES)
    assert np.median(np.abs(found.nes / theirs - 1)) < TYPICAL_NES


@compiled
def test_pvalues_are_within_what_a_seed_changes(found, table):
    pvals = table.filter(like="log10_pval")
    gap = found.log10_pval - pvals.mean(axis=1).to_numpy()
    errors = np.hypot(found.log2err * np.log10(2), pvals.std(axis=1).to_numpy() / np.sqrt(5))
    assert (np.abs(gap) < N_ERRORS * errors + 0.01).all()
    small = found.log10_pval < -3
    assert small.sum() >= 8
    assert np.median(np.abs(gap[small])) < SEED_TO_SEED
    assert abs(np.mean(gap / errors)) < 4 / np.sqrt(len(gap)) * 1.5


@compiled
def test_seeds_change_as_little_as_there(given, found, table):
    ours = [found.log10_pval, *(gsea_test(*given, seed=seed).log10_pval for seed in (2, 3, 4))]
    theirs = list(table.filter(like="log10_pval").to_numpy().T)
    small = np.mean(theirs, axis=0) < -3
    by_ours, by_theirs = (
        np.median([np.abs(a - b)[small] for a, b in combinations(runs, 2)])
        for runs in (ours, theirs)
    )
    assert by_ours < SEED_TO_SEED
    assert by_ours < 1.5 * by_theirs
