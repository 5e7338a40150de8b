"""Removal of batches against limma's removeBatchEffect (tests/reference/batch_effect)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dex.errors import DesignError
from dex.stats.batch_effect import batch_columns, centred, remove_batch_effect
from dex.stats.weighted_model import Blocks

FOLDER = Path(__file__).parents[1] / "reference" / "batch_effect"
LIMMA = FOLDER.parent / "limma"
SAMPLES = pd.read_csv(LIMMA / "samples.csv")
FULL, GAPS, WEIGHTS = (
    pd.read_csv(LIMMA / f"{name}.csv.gz").to_numpy() for name in ("values", "gaps", "weights")
)
ANSWERS = pd.read_csv(FOLDER / "answers.csv.gz")
SAME = {"rtol": 1e-9, "atol": 1e-10}  # of R's 12 digits
KEPT = np.column_stack([np.ones(12), pd.get_dummies(SAMPLES["condition"], dtype=float).iloc[:, 1:]])
BATCH = batch_columns(pd.factorize(SAMPLES["batch"])[0])
AGE = SAMPLES[["age"]].to_numpy()
DAY = batch_columns(np.tile([0, 1, 2], 4))
BLOCKS = Blocks(pd.factorize(SAMPLES["person"])[0], 0.3)
CASES = {
    "plain": (FULL, KEPT, BATCH, {}),
    "nothing_kept": (FULL, np.ones((12, 1)), BATCH, {}),
    "age": (FULL, KEPT, AGE, {}),
    "batch_age": (FULL, KEPT, np.hstack([BATCH, AGE]), {}),
    "two": (FULL, KEPT, np.hstack([BATCH, DAY]), {}),
    "weights": (FULL, KEPT, BATCH, {"weights": WEIGHTS}),
    "gaps": (GAPS, KEPT, BATCH, {}),
    "repeats": (FULL, KEPT, BATCH, {"blocks": BLOCKS}),
}


@pytest.mark.parametrize("case", CASES)
def test_equals_limma(case):
    values, kept, nuisance, options = CASES[case]
    found = remove_batch_effect(values, kept, nuisance, **options)
    limma = ANSWERS.loc[ANSWERS["case"] == case].drop(columns="case").to_numpy(float)
    np.testing.assert_allclose(found[:, :50], limma, **SAME)


def test_centred_covariates_leave_the_level():
    as_in_limma = remove_batch_effect(FULL, KEPT, AGE)
    level = remove_batch_effect(FULL, KEPT, centred(AGE))
    np.testing.assert_allclose(np.ptp(level - as_in_limma, axis=0), 0, atol=1e-9)
    np.testing.assert_allclose(level.mean(axis=0), FULL.mean(axis=0), atol=1e-9)


def test_which_batch_is_first_does_not_matter():
    codes = np.tile([0, 1, 2], 4)
    one, other = (batch_columns(order[codes]) for order in np.array([[0, 1, 2], [2, 0, 1]]))
    first, second = (remove_batch_effect(FULL, KEPT, batches) for batches in (one, other))
    np.testing.assert_allclose(first, second, atol=1e-9)


def test_batches_that_are_conditions_are_refused():
    with pytest.raises(DesignError, match="rank"):
        remove_batch_effect(FULL, KEPT, KEPT[:, 1:])
