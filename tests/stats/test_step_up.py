"""Benjamini & Hochberg's adjustment of many tests is that of each of them, to the last bit."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests

from dex.errors import InputError
from dex.stats import multitest
from dex.stats.multitest import adjust_columns, adjust_log10_pval
from dex.stats.step_up import step_up_many


def awkward_tests():
    """Rows: plain, small, with NaN, ties, one value, nothing but NaN, one p, zeros and ones."""
    rng = np.random.default_rng(5)
    log_p = np.log10(rng.uniform(size=(9, 700)))
    log_p[1] *= 80
    log_p[2, rng.random(700) < 0.3] = np.nan
    log_p[3] = np.round(log_p[3], 1)
    log_p[4] = -2.5
    log_p[5] = np.nan
    log_p[6, 1:] = np.nan
    log_p[7, :20], log_p[7, 20:40] = -np.inf, 0.0
    log_p[8] = -1.0 - rng.permutation(700) * 2e-16  # that differ in their last bits only
    return log_p


def test_every_row_is_adjusted_as_by_itself():
    log_p = awkward_tests()
    found = step_up_many(log_p)
    expected = np.array([adjust_log10_pval(row) for row in log_p])
    np.testing.assert_array_equal(found, expected)
    assert len(np.unique(log_p[8])) > 100


def test_plain_rows_are_statsmodels():
    log_p = awkward_tests()[:2]
    expected = [multipletests(10**row, method="fdr_bh")[1] for row in log_p]
    np.testing.assert_allclose(10 ** step_up_many(log_p), expected, rtol=1e-12)


def test_many_columns_take_the_compiled_way_and_give_the_same_bits(monkeypatch):
    log_p = awkward_tests().T
    expected = adjust_columns(log_p)
    monkeypatch.setattr(multitest, "_MANY", 0)
    np.testing.assert_array_equal(adjust_columns(log_p), expected)
    calls = []
    monkeypatch.setattr(multitest, "step_up_many", lambda rows: calls.append(1) or rows)
    adjust_columns(log_p)
    adjust_columns(log_p, "fdr_by")
    assert len(calls) == 1
    with pytest.raises(InputError, match="a p-value above 1"):
        adjust_columns(np.full((3, 2), 0.5))
