"""squeeze_var, and the priors below it, against limma 3.62.2 (tests/reference/squeeze_var)."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dex.errors import InputError
from dex.stats.ebayes import squeeze_var

FOLDER = Path(__file__).parents[1] / "reference" / "squeeze_var"
INPUTS = pd.read_csv(FOLDER / "inputs.csv")
TIGHT = pd.read_csv(FOLDER / "tight.csv.gz")
LOOSE = pd.read_csv(FOLDER / "loose.csv.gz")
MOMENTS = 1e-9  # ten digits are written; R finds its one root to 1e-14
LIKELIHOOD = 1e-6  # R looks for the largest likelihood, which is flat to 1e-8 in its place
DEFAULT = 2e-3  # of the df at R's default tolerance, with which it stops at 1e-4
LARGE_DF = 5000  # where the likelihood wants infinitely many, R stops at 8135 (tight: 9997) ...
SHORT_OF_MOST = 2e-4  # ... and dex at the bound itself, 9998, to which df of outliers are relative
SAME_POSTERIOR = 2e-3  # 8000 prior df against 9998
CASES = list(dict.fromkeys(INPUTS.case))


def squeezed(case, trend, robust, method):
    given = INPUTS[INPUTS.case == case]
    covariate = given.covariate.to_numpy() if trend else None
    return squeeze_var(
        given["var"].to_numpy(),
        given.df.to_numpy(),
        covariate=covariate,
        robust=robust,
        method=method,
    )


def reference(table, case, trend, robust, legacy):
    chosen = table[(table.case == case) & (table.trend == trend)]
    return chosen[(chosen.robust == robust) & (chosen.legacy == legacy)]


@pytest.mark.parametrize(
    ("case", "trend", "robust"), list(product(CASES, [False, True], [False, True]))
)
class TestAgainstLimma:
    def test_moments(self, case, trend, robust):
        if case == "fractional" and robust:
            pytest.skip("limma's way for unequal df is the other one; this one breaks down there")
        ours, limma = (
            squeezed(case, trend, robust, "moments"),
            reference(TIGHT, case, trend, robust, "old"),
        )
        n = len(limma)
        np.testing.assert_allclose(
            np.broadcast_to(ours.prior.df, n), limma.df_prior, rtol=MOMENTS, atol=1e-70
        )
        np.testing.assert_allclose(
            np.broadcast_to(ours.prior.var, n), limma.var_prior, rtol=MOMENTS
        )
        np.testing.assert_allclose(ours.var, limma.var_post, rtol=MOMENTS)

    def test_likelihood(self, case, trend, robust):
        ours, limma = (
            squeezed(case, trend, robust, "likelihood"),
            reference(TIGHT, case, trend, robust, "new"),
        )
        n = len(limma)
        at_bound = limma.df_prior.max() > LARGE_DF
        np.testing.assert_allclose(
            np.broadcast_to(ours.prior.df, n),
            limma.df_prior,
            rtol=SHORT_OF_MOST if at_bound else LIKELIHOOD,
        )
        np.testing.assert_allclose(
            np.broadcast_to(ours.prior.var, n), limma.var_prior, rtol=LIKELIHOOD
        )
        rtol = SHORT_OF_MOST if at_bound else LIKELIHOOD
        np.testing.assert_allclose(ours.var, limma.var_post, rtol=rtol)

    def test_default_tolerance_of_limma(self, case, trend, robust):
        ours, limma = (
            squeezed(case, trend, robust, "likelihood"),
            reference(LOOSE, case, trend, robust, "new"),
        )
        df = np.broadcast_to(ours.prior.df, len(limma))
        if df.max() < LARGE_DF:
            np.testing.assert_allclose(df, limma.df_prior, rtol=DEFAULT)
        outlier = limma.df_prior < 0.99 * limma.df_prior.max()
        compared = ~outlier | (df.max() < LARGE_DF)  # else 8135 against 9998, times a small share
        np.testing.assert_allclose(
            ours.var[compared], limma.var_post[compared], rtol=SAME_POSTERIOR
        )


def test_auto_takes_the_likelihood_where_df_are_unequal():
    for case, method in (("plain", "moments"), ("unequal", "likelihood"), ("zeros", "moments")):
        auto, named = squeezed(case, True, False, "auto"), squeezed(case, True, False, method)
        np.testing.assert_array_equal(auto.var, named.var)


@pytest.mark.parametrize("method", ["moments", "likelihood"])
@pytest.mark.parametrize("robust", [False, True])
def test_genes_may_come_in_any_order(method, robust):
    given = INPUTS[INPUTS.case == "unequal"]
    order = np.random.default_rng(0).permutation(len(given))
    shuffled = given.iloc[order]
    ours = squeezed("unequal", True, robust, method)
    again = squeeze_var(
        shuffled["var"].to_numpy(),
        shuffled.df.to_numpy(),
        covariate=shuffled.covariate.to_numpy(),
        robust=robust,
        method=method,
    )
    np.testing.assert_allclose(again.var, ours.var[order], rtol=1e-12)


def test_variances_scale():
    given = INPUTS[INPUTS.case == "outliers"]
    var, df = given["var"].to_numpy(), given.df.to_numpy()
    for method in ("moments", "likelihood"):
        one = squeeze_var(var, df, robust=True, method=method)
        many = squeeze_var(1e6 * var, df, robust=True, method=method)
        np.testing.assert_allclose(many.var, 1e6 * one.var, rtol=1e-9)
        np.testing.assert_allclose(many.prior.df, one.prior.df, rtol=1e-8)


def test_posterior_lies_between_the_variance_and_its_prior():
    given = INPUTS[INPUTS.case == "plain"]
    var = given["var"].to_numpy()
    ours = squeezed("plain", True, True, "moments")
    low, high = np.minimum(var, ours.prior.var), np.maximum(var, ours.prior.var)
    assert ((ours.var >= low * (1 - 1e-12)) & (ours.var <= high * (1 + 1e-12))).all()


def test_no_gene_tells_anything():
    ours = squeeze_var(np.full(5, np.nan), np.zeros(5))
    assert np.isnan(ours.var).all()


def test_bad_covariate():
    with pytest.raises(InputError, match="one value per gene"):
        squeeze_var(np.ones(4), 3, covariate=np.ones(3))
    with pytest.raises(InputError, match="not finite"):
        squeeze_var(np.ones(4), 3, covariate=np.array([1.0, 2.0, 3.0, np.nan]))
