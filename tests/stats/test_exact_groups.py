"""The exact test from counts: edgeR's exactTest."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dex.stats.exact_groups import exact_groups_test

REFERENCE = Path(__file__).parents[1] / "reference" / "exact_nb"
LIKE_R = 1e-6  # edgeR's one-group fits stop at about this; sums are rounded, so most p are equal
LOG2FC = 1e-6


@pytest.fixture(scope="module")
def genes():
    return pd.read_csv(REFERENCE / "genes.csv")


@pytest.fixture(scope="module")
def parts(genes):
    counts, sizes = (
        np.ascontiguousarray(pd.read_csv(REFERENCE / f"{name}.csv").to_numpy(float).T)
        for name in ("counts", "sizes")
    )
    return counts, np.repeat([False, True], [3, 4]), sizes[0], genes.dispersion.to_numpy()


def test_log2fc_and_p_are_edgers(genes, parts):
    test = exact_groups_test(*parts)
    np.testing.assert_allclose(10**test.log10_pval, genes.p, rtol=LIKE_R, atol=1e-300)
    np.testing.assert_allclose(test.log2fc, genes.log2fc, rtol=LOG2FC, atol=LOG2FC)


def test_sides_and_order_do_not_matter(parts):
    counts, is_group, sizes, dispersion = parts
    one, other = exact_groups_test(*parts), exact_groups_test(counts, ~is_group, sizes, dispersion)
    np.testing.assert_allclose(one.log10_pval, other.log10_pval, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(one.log2fc, -other.log2fc, rtol=1e-9, atol=1e-12)
    order = np.random.default_rng(0).permutation(7)
    shuffled = exact_groups_test(counts[order], is_group[order], sizes[order], dispersion)
    np.testing.assert_allclose(one.log10_pval, shuffled.log10_pval, rtol=1e-9, atol=1e-12)
