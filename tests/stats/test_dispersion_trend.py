import numpy as np
import pytest

from dex.stats.dispersion_trend import (
    eligible,
    local_trend,
    mean_trend,
    parametric_trend,
)

R_GLM = 1e-4
"""R's glm stops at 1e-8 of the deviance: half of that many digits of the coefficients."""


def known(run):
    return run.tight[run.tight["baseMean"] > 0]


@pytest.mark.parametrize("name", ["df1", "df2", "df3", "df4", "six", "seven", "covariate", "wide"])
def test_parametric_curve_is_that_of_deseq2(deseq2_run, name):
    run = deseq2_run(name)
    genes = known(run)
    used = genes[eligible(genes["dispGeneEst"].to_numpy())]
    trend = parametric_trend(used["baseMean"].to_numpy(), used["dispGeneEst"].to_numpy())
    assert trend.kind == run.scalars["fit_type"]
    np.testing.assert_allclose(
        trend.coef, run.scalars[["asympt_disp", "extra_pois"]].astype(float), rtol=R_GLM
    )
    np.testing.assert_allclose(trend(genes["baseMean"].to_numpy()), genes["dispFit"], rtol=R_GLM)


def test_no_curve_where_dispersion_rises(deseq2_run):
    genes = known(deseq2_run("rising"))
    used = genes[eligible(genes["dispGeneEst"].to_numpy())]
    assert parametric_trend(used["baseMean"].to_numpy(), used["dispGeneEst"].to_numpy()) is None


@pytest.mark.parametrize("name", ["local", "rising"])
def test_local_curve_is_that_of_deseq2(deseq2_run, name):
    genes = known(deseq2_run(name))
    mean = genes["baseMean"].to_numpy()
    trend = local_trend(mean, genes["dispGeneEst"].to_numpy())
    np.testing.assert_allclose(trend(mean), genes["dispFit"], rtol=1e-7)


def test_mean_is_that_of_deseq2(deseq2_run):
    genes = known(deseq2_run("mean"))
    trend = mean_trend(genes["dispGeneEst"].to_numpy())
    np.testing.assert_allclose(trend(genes["baseMean"].to_numpy()), genes["dispFit"], rtol=1e-9)


def test_outliers_do_not_bend_the_curve():
    rng = np.random.default_rng(0)
    mean = rng.lognormal(4, 2, 2000)
    dispersion = (0.05 + 3 / mean) * rng.lognormal(-0.02, 0.2, 2000)
    clean = parametric_trend(mean, dispersion).coef
    wild = dispersion.copy()
    wild[::100] *= 1000
    np.testing.assert_allclose(parametric_trend(mean, wild).coef, clean, rtol=0.03)


def test_no_mean_no_dispersion():
    trend = mean_trend(np.array([0.1, 0.2, np.nan]))
    np.testing.assert_allclose(trend(np.array([0.0, 1.0])), [np.nan, 0.15])


def test_no_gene_leaves_no_curve():
    assert parametric_trend(np.empty(0), np.empty(0)) is None
    nothing = np.full(3, 1e-9)
    assert mean_trend(nothing)(np.ones(1))[0] == 1e-8
    assert local_trend(np.ones(3), nothing)(np.ones(1))[0] == 1e-8
