"""limma-voom: linear models of log counts, each weighted by the precision foretold [Law2014]_.

.. [Law2014] Law CW, Chen Y, Shi W, Smyth GK (2014). voom: precision weights unlock linear model
   analysis tools for RNA-seq read counts. Genome Biology 15, R29.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np

from dex.data.expression import stacked
from dex.errors import InputError
from dex.stats.array_weights import GeneByGene
from dex.stats.basis import Basis
from dex.stats.repeated_measures import atanh_correlations, consensus_correlation
from dex.stats.voom import SPAN, log2_depths, voom_logs, voom_trend, voom_weights
from dex.stats.weighted_model import Blocks, fit_gene_models
from dex.tl._limma_samples import (
    block_codes,
    both_weights,
    given_weights,
    require_sample_weights,
)
from dex.tl._moderated import in_parts, model_columns, moderated_fit
from dex.tl._options import require_choice

if TYPE_CHECKING:
    from collections.abc import Callable

    from dex.data.expression import Columns, Expression
    from dex.data.size_factors import Factors
    from dex.design.matrix import Design
    from dex.results.fit import Fit
    from dex.stats.lowess import Curve
    from dex.tl._model import FitSetting
    from dex.typing import Float, Int


@dataclass(frozen=True, slots=True)
class VoomOptions:
    """Options of fits by limma-voom."""

    span: float | Literal["adaptive"] = SPAN
    """Share of the genes that are neighbours in the mean-variance trend, or by their number."""
    sample_weights: bool | str = False
    """Quality weights of the samples: to be estimated, or a column of ``obs``."""
    trend: bool = False
    """Whether the prior variance follows the mean expression; the weights do so already."""
    robust: bool = False
    """Whether hyper- and hypovariable genes are kept out of the prior, and squeezed less."""

    def __post_init__(self) -> None:
        """Refuse what there is not."""
        require_choice("trend", self.trend, (False, True))
        require_choice("robust", self.robust, (False, True))
        require_sample_weights(self.sample_weights)
        require_span(self.span)


def require_span(span: object) -> None:
    """Refuse what is no share of the genes.

    Raises
    ------
    InputError
        If it is not.
    """
    if span != "adaptive" and not (isinstance(span, int | float) and 0 < span <= 1):
        msg = f"span={span!r}: give a share of the genes, at most 1, or 'adaptive'."
        raise InputError(msg)


def fit_voom(expression: Expression, design: Design, setting: FitSetting) -> Fit:
    """Fit the trend, then every gene with the weights that it foretells.

    Sample weights and the correlation of repeated measures change the trend, so that both are
    estimated twice: before it is known how they do, and after.
    """
    if expression.lengths is not None:
        msg = "lengths= has no place in voom: give counts scaled by length, or method='edger'."
        raise InputError(msg)
    options, codes = setting.options, block_codes(setting)
    samples = given_weights(setting.obs, options.sample_weights)
    voom = Voom.of(expression, design, setting).with_trend(samples, None)
    if options.sample_weights is True:
        voom = voom.with_trend(voom.learnt_weights(), None)
        samples = voom.learnt_weights()
    blocks = None
    if codes is not None:
        first = Blocks(codes, voom.correlation(codes, samples))
        voom = voom.with_trend(samples, first)
        blocks = Blocks(codes, voom.correlation(codes, samples))
    genes = voom.map(lambda counts: voom.columns(counts, samples, blocks), "linear models")
    return voom.fit(genes, samples, blocks)


@dataclass(frozen=True, slots=True)
class Voom:
    """Counts, and what of their precision is known so far."""

    expression: Expression
    design: Float
    basis: Basis
    setting: FitSetting
    libraries: Float
    """Effective library sizes, ``(n_obs,)``."""
    samples: Float | None = None
    """Weights with which the trend was estimated."""
    blocks: Blocks | None = None
    """Likewise."""
    trend: Curve | None = None
    """None as long as all weights are 1."""
    root_sd: Float | None = None
    """What the trend was drawn through, ``(n_vars,)``."""

    @classmethod
    def of(cls, expression: Expression, design: Design, setting: FitSetting) -> Voom:
        """Nothing is known yet."""
        libraries = cast("Factors", expression.factors).effective
        basis = Basis.from_design(design.matrix)
        return cls(expression, design.matrix, basis, setting, libraries)

    def map(
        self, function: Callable[[Float], Columns], label: str, *, n_threads: int | None = None
    ) -> Columns:
        """Apply to the counts of every block of genes, in their order if by one thread."""
        threads = n_threads or self.setting.n_threads
        blocks = self.expression.blocks.map(lambda raw: in_parts(function, raw), threads, label)
        return stacked(blocks)

    def with_trend(self, samples: Float | None, blocks: Blocks | None) -> Voom:
        """Estimate the mean-variance trend, samples weighted and correlated so."""
        if self.basis.df_residual == 0:
            return self

        def columns(counts: Float) -> Columns:
            logs = voom_logs(counts, self.libraries)
            var = fit_gene_models(logs, self.basis, weights=samples, blocks=blocks).var
            expressed = np.where(counts.any(axis=0), var, np.nan)
            return {"mean_log2": logs.mean(axis=0), "var": expressed}

        points = self.map(columns, "mean-variance trend")
        span = self.setting.options.span
        trend = voom_trend(points["mean_log2"], points["var"], self.libraries, span=span)
        root_sd = points["var"] ** 0.25
        return replace(self, samples=samples, blocks=blocks, trend=trend, root_sd=root_sd)

    def precision(self, logs: Float) -> Float:
        """Weights of the values, at what the models behind the trend fit to them."""
        if self.trend is None:
            return np.ones_like(logs)
        coef = fit_gene_models(logs, self.basis, weights=self.samples, blocks=self.blocks).coef
        return voom_weights(self.design @ coef.T, self.libraries, self.trend)

    def learnt_weights(self) -> Float:
        """Quality weights of the samples, gene by gene."""
        learner = GeneByGene(self.design)

        def learn(counts: Float) -> Columns:
            logs = voom_logs(counts, self.libraries)
            learner.add(logs, self.precision(logs))
            return {}

        self.map(learn, "sample weights", n_threads=1)
        return learner.weights

    def correlation(self, codes: Int, samples: Float | None) -> float:
        """Consensus of the genes' correlations within blocks."""

        def columns(counts: Float) -> Columns:
            logs = voom_logs(counts, self.libraries)
            weights = both_weights(self.precision(logs), samples)
            return {"atanh": atanh_correlations(logs, self.basis, codes, weights=weights)}

        return consensus_correlation(self.map(columns, "correlation")["atanh"])

    def columns(self, counts: Float, samples: Float | None, blocks: Blocks | None) -> Columns:
        """Weighted models of some genes."""
        logs = voom_logs(counts, self.libraries)
        weights = both_weights(self.precision(logs), samples)
        models = fit_gene_models(logs, self.basis, weights=weights, blocks=blocks)
        base_mean = (counts / self.libraries[:, None]).mean(axis=0) * 1e6
        return {"base_mean": base_mean, **model_columns(models, logs.mean(axis=0))}

    def fit(self, genes: Columns, samples: Float | None, blocks: Blocks | None) -> Fit:
        """Moderate the variances, and keep what is known of trend, samples and blocks."""
        options = self.setting.options
        shared: dict[str, Any] = {"is_log": True}
        if self.trend is not None:
            shared |= {"voom_x": self.trend.x, "voom_y": self.trend.y}
            shared |= {"log2_depth": float(log2_depths(self.libraries).mean())}
        if self.root_sd is not None:
            genes = genes | {"voom_root_sd": self.root_sd}
        if blocks is not None:
            shared["correlation"] = blocks.correlation
        obs = {} if samples is None else {"sample_weights": samples}
        fit = moderated_fit(
            self.design, genes, trend=options.trend, robust=options.robust, shared=shared
        )
        return replace(fit, obs=obs)


def logs_with_precision(
    expression: Expression,
    design: Float,
    libraries: Float,
    setting: FitSetting,
    *,
    samples: Float | None = None,
    blocks: Blocks | None = None,
) -> tuple[Float, Float]:
    """Log counts and their weights, ``(n_obs, n_vars)`` both, for tests of many genes at a time.

    ``libraries`` are effective; weights of ``samples`` and correlations in ``blocks`` are known.
    """
    basis = Basis.from_design(design)
    voom = Voom(expression, design, basis, setting, libraries).with_trend(samples, blocks)

    def columns(counts: Float) -> Columns:
        logs = voom_logs(counts, libraries)
        weights = both_weights(voom.precision(logs), samples)
        return {"logs": logs.T, "weights": np.asarray(weights).T}

    both = voom.map(columns, "precision weights")
    return both["logs"].T, both["weights"].T
