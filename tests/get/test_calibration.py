"""Rates of small p-values of chosen tests."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

import dex
from dex.errors import InputError


@pytest.fixture
def guides():
    """Ten groups of 12 samples without any difference, four called NT, x 1,000 genes."""
    names = [*(f"NT{i}" for i in range(4)), *(f"gene{i}" for i in range(6))]
    adata = dex.datasets.simulate_counts(
        1000, n_per_group=(12,) * 10, groups=tuple(names), de_fraction=0, seed=8
    )
    dex.tl.rank_genes(adata, "condition", method="t-test-student", reference="rest")
    return adata


def test_rates_are_counted(guides, monkeypatch):
    guides.varm["rank_genes_log10_pval"][:5] = np.nan
    table = dex.get.calibration_df(guides, tests="NT*")
    assert table["group"].tolist() == ["NT0", "NT1", "NT2", "NT3"]
    for i, row in table.iterrows():
        pval = 10 ** guides.varm["rank_genes_log10_pval"][5:, i]
        pval = pval[~np.isnan(pval)]
        assert row["n"] == len(pval)
        for level in (0.05, 0.01, 0.001):
            assert row[f"rate_{level:g}"] == (pval <= level).mean()
        inflation = stats.chi2.isf(np.median(pval), 1) / stats.chi2.isf(0.5, 1)
        assert row["inflation"] == pytest.approx(inflation)
        assert row["n_group"] == 12
        assert row["n_reference"] == 108


def test_nothing_changes_and_the_tests_say_so(guides):
    table = dex.get.calibration_df(guides)
    assert len(table) == 10
    assert abs(table["rate_0.05"].mean() - 0.05) < 0.01
    assert abs(table["inflation"].mean() - 1) < 0.15


def test_tests_are_found_by_name_group_and_pattern(guides):
    def found(tests):
        return dex.get.calibration_df(guides, tests=tests)["group"].tolist()

    assert found("NT1 vs rest") == ["NT1"]
    assert found(["gene3", "NT?"]) == ["gene3", "NT0", "NT1", "NT2", "NT3"]
    assert found(["NT1", "NT1*"]) == ["NT1"]


def test_a_test_without_p_values_has_no_rate(guides):
    guides.varm["rank_genes_log10_pval"][:, 2] = np.nan
    row = dex.get.calibration_df(guides, tests="NT2").iloc[0]
    assert row["n"] == 0
    assert np.isnan([row["inflation"], row["rate_0.05"]]).all()


@pytest.mark.parametrize("tests", ["nt*", ["NT1", "x"], []])
def test_a_pattern_that_fits_nothing_is_refused(guides, tests):
    with pytest.raises(InputError, match="tests="):
        dex.get.calibration_df(guides, tests=tests)
