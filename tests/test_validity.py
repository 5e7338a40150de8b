"""The gates of the validity suite (tests/benchmarks/validity), on a few of its data sets.

Means over fixed seeds; a gate is missed if it is by more than four standard errors. What R finds on
the very same counts is in tests/reference/validity: scores by R in runs_V1.csv of ``python -m
validity --parts V1 --only clean outliers --sizes 3 6 12 --n-sets 5 --rscript Rscript -o OUT``.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from validity.data_sets import scenarios
from validity.figure import draw
from validity.methods import DEFAULT, scores_of
from validity.r_side import questions

FOLDER = Path(__file__).parent / "reference" / "validity"
TABLE = Path(__file__).parent / "benchmarks" / "validity" / "validity.csv"
MOST_FALSE, MOST_P05, MOST_P001 = 0.06, 0.06, 0.002
MORE_THAN_R, LESS_POWER_THAN_R = 0.002, 0.98
ERRORS = 4
N_SETS = 5


def runs(part, name, n, methods, n_sets=N_SETS):
    """Scores of methods on the first data sets of a scenario."""
    scenario = next(one for one in scenarios(part) if (one.name, one.n) == (name, n))
    rows = [
        row for seed in range(n_sets) for row in scores_of(scenario.data_set(seed), only=methods)
    ]
    return pd.DataFrame(rows)


def within(values, most):
    """Whether a mean is at most so much, or above by less than four standard errors."""
    values = np.asarray(values)
    return values.mean() <= most + ERRORS * values.std(ddof=1) / np.sqrt(len(values))


@pytest.mark.parametrize("n", [3, 6, 12])
def test_default_finds_few_false_and_as_many_as_r(n):
    ours = runs("V1", "clean", n, [DEFAULT])
    r = pd.read_csv(FOLDER / "r.csv").query("scenario == 'clean' and n == @n and method == 'edger'")
    r = r.set_index("seed").loc[ours["seed"]]
    np.testing.assert_array_equal(ours["n_tested"], r["n_tested"])  # the same counts
    assert within(ours["fdp_0.05"], MOST_FALSE)
    assert ours["fdp_0.05"].mean() <= r["fdp_0.05"].mean() + MORE_THAN_R
    assert ours["power_0.05"].mean() >= LESS_POWER_THAN_R * r["power_0.05"].mean()


@pytest.mark.parametrize("n", [3, 6])
def test_p_values_of_the_default_are_small_as_often_as_they_say(n):
    ours = runs("V2", "unchanged", n, [DEFAULT])
    assert within(ours["p_0.05"], MOST_P05)
    assert within(ours["p_0.001"], MOST_P001)


def test_cells_are_not_replicates():
    """Tests of cells call a third and more of their genes falsely; those of donors do not."""
    of_donors = ["default", "edger, paired", "limma_voom, paired", "mixed"]
    of_cells = ["cells: wilcoxon", "cells: van Elteren", "cells: t-test"]
    scores = runs("V5", "cells", 6, [*of_cells, *of_donors], n_sets=4).groupby("method")
    for method in of_cells:
        assert scores["fdp_0.05"].get_group(method).mean() > 0.2
        assert scores["p_0.05"].get_group(method).mean() > 0.1
    for method in of_donors:
        assert within(scores["fdp_0.05"].get_group(method), MOST_FALSE)
        assert within(scores["p_0.05"].get_group(method), MOST_P05)
        assert within(scores["p_0.001"].get_group(method), MOST_P001)


@pytest.mark.parametrize("name", ["cells", "repeats"])
def test_r_is_asked_of_the_sums_that_dex_tests(name):
    """The same genes, and names of dex's methods; paired where donors have both conditions."""
    scenario = next(one for one in scenarios("V5") if (one.name, one.n) == (name, 3))
    data = scenario.data_set(0)
    asked = list(questions(data))
    assert len(asked) == (2 if name == "cells" else 1)
    for one in asked:
        assert set(one.counts.obs) - {"replicate"} == {"condition"}
        (ours,) = scores_of(data, only=[one.names["edger"]])
        assert one.counts.n_vars == ours["n_tested"]


@pytest.mark.realdata
def test_replicates_of_one_yeast(realdata, monkeypatch):
    monkeypatch.setenv("DEX_REALDATA", os.environ["DEX_REALDATA"])
    scores = runs("V3", "yeast", 10, [DEFAULT])
    assert within(scores["p_0.05"], MOST_P05)
    assert within(scores["p_0.001"], MOST_P001)


def test_figure_is_of_what_the_table_has(tmp_path):
    table = pd.read_csv(TABLE)
    figure = draw(table)
    titles = [ax.get_title() for ax in figure.axes]
    assert "outliers in 5% of genes" in titles
    simulated = figure.axes[0]
    edger = table.query("scenario == 'clean' and method == 'edger' and by == 'dex'")
    drawn = {tuple(np.ravel(line.get_xydata())) for line in simulated.lines if line.get_marker()}
    for n, value in zip(edger["n"], edger["fdp_0.05"], strict=True):
        assert any(np.allclose(point[:2], (n, value)) for point in drawn if len(point) == 2)
    figure.savefig(tmp_path / "page.png")
