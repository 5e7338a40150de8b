from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dex.errors import InputError
from dex.stats.cyclic_loess import cyclic_loess

REFERENCE = Path(__file__).parents[1] / "reference" / "cyclic_loess"
SAME = 1e-12  # the same sums in another order
VARIANTS = ["fast", "affy", "pairs"]


def table(name):
    return pd.read_csv(REFERENCE / f"{name}.csv", skipinitialspace=True).to_numpy(float)


@pytest.fixture(scope="module")
def values():
    return table("values")


@pytest.mark.parametrize("variant", VARIANTS)
def test_equals_limma(values, variant):
    weights = table("weights")[:, 0]
    np.testing.assert_allclose(cyclic_loess(values, variant=variant), table(variant), rtol=SAME)
    weighted = cyclic_loess(values, weights, variant=variant)
    np.testing.assert_allclose(weighted, table(f"{variant}_weighted"), rtol=SAME)


@pytest.mark.parametrize("variant", VARIANTS)
def test_missing_values_as_limma(values, variant):
    missing = values.copy()
    missing[1, 4] = missing[:2, 19] = missing[:, 8] = np.nan
    ours = cyclic_loess(missing, variant=variant)
    np.testing.assert_allclose(ours, table(f"{variant}_missing"), rtol=SAME)


def test_span_by_the_number_of_genes(values):
    ours = cyclic_loess(values, span=None, n_cycles=1)
    np.testing.assert_allclose(ours, table("adaptive"), rtol=SAME)


@pytest.mark.parametrize("variant", ["fast", "affy"])
def test_order_of_observations_does_not_matter(values, variant):
    order = [3, 0, 1, 2]
    permuted = cyclic_loess(values[order], variant=variant)
    np.testing.assert_allclose(permuted, cyclic_loess(values, variant=variant)[order], rtol=SAME)


def test_given_values_stay(values):
    before = values.copy()
    cyclic_loess(values)
    np.testing.assert_array_equal(values, before)


def test_refusals(values):
    with pytest.raises(InputError, match="'fast', 'affy', 'pairs'"):
        cyclic_loess(values, variant="loess")
    with pytest.raises(InputError, match="no gene in common"):
        cyclic_loess(np.array([[1.0, np.nan], [np.nan, 2.0]]), variant="pairs")
