"""voom, sample weights and consensus correlations against limma (tests/reference/voom)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dex.stats.array_weights import GeneByGene, relative_squares_of, reml_weights
from dex.stats.basis import Basis
from dex.stats.repeated_measures import (
    atanh_correlations,
    consensus_correlation,
    restricted_deviance,
)
from dex.stats.voom import voom_logs, voom_points, voom_trend, voom_weights
from dex.stats.weighted_model import Blocks, fit_gene_models

FOLDER = Path(__file__).parents[1] / "reference" / "voom"
LIMMA = FOLDER.parent / "limma"
SAMPLES = pd.read_csv(LIMMA / "samples.csv")
PERSON = pd.factorize(SAMPLES["person"])[0]
DESIGN = pd.read_csv(LIMMA / "design_first.csv").to_numpy()
BASIS = Basis.from_design(DESIGN)
COUNTS = pd.read_csv(FOLDER / "counts.csv.gz").to_numpy(dtype=float)
LIBRARIES = COUNTS.sum(axis=1) * [1, 0.9, 1.1, 1, 1.2, 1, 0.8, 1, 1, 1.05, 1, 1]
FULL, GAPS, WEIGHTS = (
    pd.read_csv(LIMMA / f"{name}.csv.gz").to_numpy() for name in ("values", "gaps", "weights")
)
VARYING = np.setdiff1d(np.arange(FULL.shape[1]), [40, 41, 42])
SAME = 1e-9
SCORING = 1e-6  # R stops where the squared step is below its tolerance, which falls slowly
TIGHT = 1e-6  # of a consensus; R's glmgam.fit at tolerance 1e-15
DEFAULT = 1e-3  # and at its default, which leaves single genes up to 0.1 away
SEVERAL_MODES = 1e-2  # two of 116 genes have two; R finds the nearer one


def read(name):
    return pd.read_csv(FOLDER / f"{name}.csv.gz")


class TestVoom:
    logs = voom_logs(COUNTS, LIBRARIES)

    def weights(self, sample_weights=None, blocks=None, span=0.5):
        fit = fit_gene_models(self.logs, BASIS, weights=sample_weights, blocks=blocks)
        some = COUNTS.any(axis=0)
        trend = voom_trend(self.logs.mean(axis=0)[some], fit.var[some], LIBRARIES, span=span)
        return voom_weights(DESIGN @ fit.coef.T, LIBRARIES, trend)

    def test_weights(self):
        np.testing.assert_allclose(self.weights()[:, :40], read("weights_voom"), rtol=SAME)
        adaptive, block = self.weights(span="adaptive"), self.weights(blocks=Blocks(PERSON, 0.3))
        np.testing.assert_allclose(adaptive[:, :40], read("weights_adaptive"), rtol=SAME)
        np.testing.assert_allclose(block[:, :40], read("weights_block"), rtol=SAME)

    def test_trend(self):
        fit = fit_gene_models(self.logs, BASIS)
        some, points = COUNTS.any(axis=0), read("trend_voom")
        x, y = voom_points(self.logs.mean(axis=0)[some], fit.var[some], LIBRARIES)
        np.testing.assert_allclose(x, points["x"], rtol=SAME)
        np.testing.assert_allclose(y, points["y"], rtol=SAME)
        trend = voom_trend(self.logs.mean(axis=0)[some], fit.var[some], LIBRARIES)
        np.testing.assert_allclose(trend(points["line_x"]), points["line_y"], rtol=SAME)

    def test_with_sample_quality_weights(self):
        quality = self.quality(self.weights())
        once_more = self.weights(quality)
        quality = self.quality(once_more)
        np.testing.assert_allclose(quality, read("array_weights")["quality"], rtol=SAME)
        both = quality[:, None] * once_more
        np.testing.assert_allclose(both[:, :40], read("weights_quality"), rtol=SAME)

    def quality(self, weights):
        learner = GeneByGene(DESIGN)
        learner.add(self.logs, weights)
        return learner.weights

    def test_depth_is_no_matter_of_the_weights(self):
        """Ten times the reads: the same trend at other counts, so other, larger weights."""
        deeper = voom_logs(10 * COUNTS, 10 * LIBRARIES)
        assert np.abs(deeper - self.logs)[:, COUNTS.min(axis=0) > 100].max() < 0.01


class TestArrayWeights:
    limma = read("array_weights")

    @pytest.mark.parametrize(
        ("column", "values", "weights", "prior"),
        [
            ("gene_by_gene", FULL[:, VARYING], None, 10),
            ("gene_by_gene_constant_genes", FULL, None, 10),
            ("gene_by_gene_prior", FULL[:, VARYING], None, 3),
            ("gene_by_gene_gaps", GAPS, None, 10),
            ("gene_by_gene_weights", FULL[:, VARYING], WEIGHTS[:, VARYING], 10),
            ("gene_by_gene_both", GAPS, WEIGHTS, 10),
        ],
    )
    def test_gene_by_gene(self, column, values, weights, prior):
        learner = GeneByGene(DESIGN, prior_genes=prior)
        half = values.shape[1] // 2
        for part in (slice(0, half), slice(half, None)):
            learner.add(values[:, part], None if weights is None else weights[:, part])
        np.testing.assert_allclose(learner.weights, self.limma[column], rtol=SAME)

    @pytest.mark.parametrize(
        ("column", "values", "prior"),
        [
            ("reml", FULL[:, VARYING], 10),
            ("reml_no_prior", FULL[:, VARYING], 0),
            ("reml_constant_genes", FULL, 10),
        ],
    )
    def test_reml(self, column, values, prior):
        ours = reml_weights(
            lambda weights: relative_squares_of(values, DESIGN, weights), DESIGN, prior_genes=prior
        )
        np.testing.assert_allclose(ours, self.limma[column], rtol=SCORING)
        np.testing.assert_allclose(np.prod(ours), 1, rtol=1e-12)

    def test_default_tolerance_of_limma(self):
        ours = reml_weights(lambda w: relative_squares_of(FULL[:, VARYING], DESIGN, w), DESIGN)
        np.testing.assert_allclose(ours, self.limma["reml_default"], rtol=0.01)

    def test_order_of_genes(self):
        """Restricted likelihood has none; samples in another order keep their weights."""
        order = np.random.default_rng(0).permutation(len(FULL))
        ours = reml_weights(lambda w: relative_squares_of(FULL, DESIGN, w), DESIGN)
        again = reml_weights(
            lambda w: relative_squares_of(FULL[order][:, ::-1], DESIGN[order], w), DESIGN[order]
        )
        np.testing.assert_allclose(again, ours[order], rtol=1e-8)


CASES = {
    "plain": (FULL[:, VARYING], None, "full"),
    "weights": (FULL[:, VARYING], WEIGHTS[:, VARYING], "full"),
    "gaps": (GAPS, None, "gaps"),
    "both": (GAPS, WEIGHTS, "gaps"),
}


@pytest.mark.parametrize("case", CASES)
class TestConsensusCorrelation:
    def ours(self, case):
        values, weights, _ = CASES[case]
        return atanh_correlations(values, BASIS, PERSON, weights=weights)

    def test_consensus(self, case):
        ours = consensus_correlation(self.ours(case))
        tight, default = read("consensus_tight")[case][0], read("consensus")[case][0]
        assert abs(ours - tight) < (SEVERAL_MODES if case == "both" else TIGHT)
        assert abs(ours - default) < (SEVERAL_MODES if case == "both" else DEFAULT)

    def test_no_gene_is_less_likely_than_in_limma(self, case):
        values, weights, table = CASES[case]
        ours, limma = self.ours(case), read(f"atanh_{table}_tight")[case].to_numpy()
        np.testing.assert_array_equal(np.isnan(ours), np.isnan(limma))
        known = ~np.isnan(ours)
        at = [
            restricted_deviance(
                np.tanh(atanh[known]),
                values[:, known],
                BASIS,
                PERSON,
                weights=None if weights is None else weights[:, known],
            )
            for atanh in (ours, limma)
        ]
        assert (at[0] <= at[1] + 1e-8 * np.abs(at[1])).all()


def test_trimmed_consensus():
    atanh = atanh_correlations(FULL[:, VARYING], BASIS, PERSON)
    assert abs(consensus_correlation(atanh, trim=0.05) - read("consensus_tight")["trim"][0]) < TIGHT


def test_names_of_blocks_and_order_of_samples_are_no_matter():
    order = np.random.default_rng(1).permutation(len(FULL))
    renamed = PERSON.max() - PERSON
    ours = atanh_correlations(FULL[:, VARYING], BASIS, PERSON)
    again = atanh_correlations(
        FULL[order][:, VARYING], Basis.from_design(DESIGN[order]), renamed[order]
    )
    np.testing.assert_allclose(np.tanh(again), np.tanh(ours), atol=1e-6)


def test_no_blocks_no_correlation():
    assert np.isnan(atanh_correlations(FULL, BASIS, np.arange(len(FULL)))).all()
    assert consensus_correlation(np.full(3, np.nan)) == 0
