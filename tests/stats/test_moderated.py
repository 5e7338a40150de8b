"""Linear models with weights, gaps and blocks, moderated, against limma (tests/reference/limma)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dex.stats.basis import Basis, JointContrasts
from dex.stats.ebayes import squeeze_var
from dex.stats.moderated import log_odds, moderated_f_test, total_df
from dex.stats.packed import quadratic_forms, unpack
from dex.stats.tails import t_log10_pval
from dex.stats.treat import treat_test
from dex.stats.weighted_model import Blocks, estimable, fit_gene_models

FOLDER = Path(__file__).parents[1] / "reference" / "limma"
SAMPLES = pd.read_csv(FOLDER / "samples.csv")
FULL, GAPS, WEIGHTS = (
    pd.read_csv(FOLDER / f"{name}.csv.gz").to_numpy() for name in ("values", "gaps", "weights")
)
SAMPLE_WEIGHTS = np.array([1, 2, 0.5, 1, 1, 3, 0.2, 1, 1.5, 1, 1, 0.8])
PERSON = pd.factorize(SAMPLES["person"])[0]
FIRST = {"b_a": ("first", 2), "c_a": ("first", 3), "c_b": ("second", 3)}
SAME = 1e-8  # limma's own digits
LIKELIHOOD = 1e-6  # unequal df: R looks for the largest likelihood, flat to 1e-8 in its place
NOT_B_A = {62, 63, 64, 65}
"""Genes without samples of ``a``, or of too few: limma drops a later column of the design, and then
what it calls b - a is something else; here it is not estimable."""


def some(values):
    return np.delete(values, 60, axis=1)


CASES = {
    "plain": {},
    "trend": {"trend": True},
    "robust": {"robust": True},
    "trend_robust": {"trend": True, "robust": True},
    "missing": {"values": GAPS},
    "missing_trend": {"values": some(GAPS), "trend": True},
    "sample_weights": {"weights": SAMPLE_WEIGHTS},
    "gene_weights": {"weights": WEIGHTS[:1]},
    "obs_weights": {"weights": WEIGHTS, "trend": True},
    "weights_missing": {"values": GAPS, "weights": WEIGHTS},
    "curve": {"tested": {"age2": ("curve", 4)}, "f": ("curve", [3, 4])},
    "residual_one": {
        "values": FULL[[0, 1, 4, 5]],
        "tested": {"b_a": ("narrow", 2)},
        "f": None,
    },
    "block": {"blocks": Blocks(PERSON, 0.35)},
    "block_weights_missing": {"values": GAPS, "weights": WEIGHTS, "blocks": Blocks(PERSON, 0.35)},
    "block_negative": {"weights": SAMPLE_WEIGHTS, "blocks": Blocks(PERSON, -0.2)},
}


def design(name):
    return pd.read_csv(FOLDER / f"design_{name}.csv").to_numpy()


class Analysis:
    def __init__(
        self, values=FULL, design_name="first", weights=None, blocks=None, trend=False, robust=False
    ):
        self.basis = Basis.from_design(design(design_name))
        self.fit = fit_gene_models(values, self.basis, weights=weights, blocks=blocks)
        n = np.isfinite(values).sum(axis=0)
        self.mean = np.nansum(values, axis=0) / np.where(n > 0, n, np.nan)
        covariate = self.mean if trend else None
        self.squeezed = squeeze_var(
            self.fit.var, self.fit.df_residual, covariate=covariate, robust=robust
        )
        self.df = total_df(self.fit.df_residual, self.squeezed.prior.df)

    def test(self, coef):
        contrast = np.eye(self.basis.Q.shape[1])[[coef]]
        seen = estimable(self.fit.cov, self.basis, contrast)
        estimate = np.where(seen, self.fit.coef @ contrast.T, np.nan)
        unscaled = np.sqrt(quadratic_forms(self.fit.cov, contrast))
        se = unscaled * np.sqrt(self.squeezed.var)[:, None]
        stat = estimate / se
        prior = (self.squeezed.prior.var, self.squeezed.prior.df)
        out = {"coef": estimate, "se": np.where(seen, se, np.nan), "t": stat}
        out["log10_pval"] = t_log10_pval(stat, self.df[:, None])
        out["lods"] = log_odds(stat, unscaled, self.df, prior)
        return {name: values[:, 0] for name, values in out.items()}


def expected(case):
    return pd.read_csv(FOLDER / f"{case}.csv.gz")


def same(ours, theirs, rtol, atol=0.0):
    ours = np.broadcast_to(ours, len(theirs))
    np.testing.assert_array_equal(np.isnan(ours), np.isnan(theirs))
    np.testing.assert_allclose(ours, theirs, rtol=rtol, atol=atol)


@pytest.mark.parametrize("case", CASES)
def test_equals_limma(case):
    given = dict(CASES[case])
    tested, f = given.pop("tested", FIRST), given.pop("f", ("first", [2, 3]))
    limma = expected(case)
    rtol = LIKELIHOOD if "missing" in case else SAME
    for name, (design_name, coef) in tested.items():
        analysis = Analysis(design_name=design_name, **given)
        test = analysis.test(coef)
        for column in ("coef", "se", "t", "log10_pval", "lods"):
            theirs = limma[f"{name}.{column}"].to_numpy().copy()
            if "missing" in case and name == "b_a":
                if column == "lods":
                    continue  # they depend on how many genes there are
                assert set(np.flatnonzero(np.isnan(test["coef"]) & ~np.isnan(theirs))) <= NOT_B_A
                theirs[np.isnan(test["coef"])] = np.nan
            same(test[column], theirs, rtol, atol=1e-9)
        if name != next(iter(tested)):
            continue
        same(analysis.fit.df_residual, limma["df"], SAME)
        same(analysis.squeezed.var, limma["var_post"], rtol)
        same(analysis.squeezed.prior.var, limma["var_prior"], rtol)
        same(analysis.squeezed.prior.df, limma["df_prior"], 3 * rtol)
        same(analysis.df, limma["df_total"], rtol)
        same(np.sqrt(analysis.fit.var), limma["sigma"], SAME, atol=1e-14)
        treated = treat_test(test["coef"], test["se"], analysis.df, threshold=0.4)
        seen = ~np.isnan(test["coef"])
        same(treated.stat[seen], limma["treat.t"][seen], rtol, atol=1e-9)
        same(treated.log10_pval[seen], limma["treat.log10_pval"][seen], rtol, atol=1e-9)
    if f is not None:
        check_f(Analysis(design_name=f[0], **given), f[1], limma, rtol)


def check_f(analysis, coefs, limma, rtol):
    vectors = np.eye(analysis.basis.Q.shape[1])[coefs]
    joint = JointContrasts.from_basis(analysis.basis, vectors).vectors
    covariance = joint @ unpack(analysis.fit.cov) @ joint.T
    test = moderated_f_test(
        analysis.fit.coef @ joint.T, covariance, analysis.squeezed.var, analysis.df
    )
    stat = np.where(limma["f"].isna(), np.nan, test.stat)
    assert np.isfinite(test.stat[limma["f"].notna()]).all()
    same(stat, limma["f"], rtol, atol=1e-12)
