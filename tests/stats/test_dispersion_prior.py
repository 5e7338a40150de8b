from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2

from dex.stats.dispersion_prior import _drawn_densities, dispersion_spread
from dex.stats.dispersion_trend import eligible

FOLDER = Path(__file__).parents[1] / "reference" / "deseq2"
SCALARS = pd.read_csv(FOLDER / "scalars.csv", index_col=0)
DF = {
    "df1": 1,
    "df2": 2,
    "df3": 3,
    "df4": 4,
    "six": 10,
    "additive": 8,
    "interaction": 6,
    "wide": 118,
}


@pytest.mark.parametrize("name", DF)
def test_spread_is_that_of_deseq2(name):
    genes = pd.read_csv(FOLDER / f"{name}_tight.csv.gz")
    genes = genes[eligible(genes["dispGeneEst"].to_numpy())]
    residuals = np.log(genes["dispGeneEst"]) - np.log(genes["dispFit"])
    spread = dispersion_spread(residuals.to_numpy(), DF[name])
    scalars = SCALARS.loc[f"{name}_tight"]
    assert spread.prior == pytest.approx(scalars["prior_var"], rel=1e-5)
    assert spread.observed == pytest.approx(scalars["var_log_disp"], rel=1e-5)


def test_at_r_defaults_few_degrees_of_freedom_have_the_same_answer():
    for df in (1, 2, 3):
        genes = pd.read_csv(FOLDER / f"df{df}_default.csv.gz")
        genes = genes[eligible(genes["dispGeneEst"].to_numpy())]
        residuals = np.log(genes["dispGeneEst"]) - np.log(genes["dispFit"])
        theirs = SCALARS.loc[f"df{df}_default", "prior_var"]
        assert dispersion_spread(residuals.to_numpy(), df).prior == pytest.approx(theirs)


@pytest.mark.parametrize("df", [1, 2, 3])
@pytest.mark.parametrize("variance", [0.5, 1.5, 4.0])
def test_few_degrees_of_freedom_find_the_true_variance(df, variance):
    rng = np.random.default_rng(df)
    estimates = np.log(rng.chisquare(df, 20_000) / df) + rng.normal(0, np.sqrt(variance), 20_000)
    assert dispersion_spread(estimates, df).prior == pytest.approx(variance, rel=0.05, abs=0.1)


@pytest.mark.parametrize("df", [1, 2, 3])
def test_draws_are_of_the_distribution_that_they_stand_for(df):
    edges = np.arange(-20, 21) / 2
    exact = np.diff(chi2.cdf(df * np.exp(edges), df))
    drawn = _drawn_densities(df)
    assert drawn.shape == (200, 40)
    np.testing.assert_allclose(drawn.sum(axis=1) * 0.5, 1)
    assert np.abs(drawn[0] * 0.5 - exact).max() < 4 * 0.5 / 100  # 4 standard errors of 10,000 draws


def test_the_prior_is_never_narrow():
    assert dispersion_spread(np.zeros(100), 10).prior == 0.25
    assert dispersion_spread(np.zeros(100), 2).prior >= 0.25
