"""limma: linear models of logs, with weights of samples and repeated measures [Ritchie2015]_.

.. [Ritchie2015] Ritchie ME, Phipson B, Wu D, Hu Y, Law CW, Shi W, Smyth GK (2015). limma powers
   differential expression analyses for RNA-sequencing and microarray studies. Nucleic Acids
   Research 43, e47.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from dex.stats.array_weights import GeneByGene, relative_squares_of, reml_weights
from dex.stats.basis import Basis
from dex.stats.repeated_measures import atanh_correlations, consensus_correlation
from dex.stats.weighted_model import Blocks, fit_gene_models
from dex.tl._limma_samples import (
    block_codes,
    both_weights,
    given_weights,
    require_sample_weights,
)
from dex.tl._moderated import in_parts, mean_of_known, model_columns, moderated_fit
from dex.tl._options import require_choice

if TYPE_CHECKING:
    from collections.abc import Callable

    from dex.data.expression import Columns, Expression, GeneBlock
    from dex.design.matrix import Design
    from dex.results.fit import Fit
    from dex.tl._model import FitSetting
    from dex.typing import Float


@dataclass(frozen=True, slots=True)
class LimmaOptions:
    """Options of fits by limma."""

    trend: bool = True
    """Whether the prior variance follows the mean expression (limma-trend)."""
    robust: bool = False
    """Whether hyper- and hypovariable genes are kept out of the prior, and squeezed less."""
    sample_weights: bool | str = False
    """Quality weights of the samples: to be estimated, or a column of ``obs``."""
    observation_weights: str | None = None
    """Layer with inverse variances of the values, up to a factor; 0 where a value is missing."""

    def __post_init__(self) -> None:
        """Refuse what there is not."""
        require_choice("trend", self.trend, (False, True))
        require_choice("robust", self.robust, (False, True))
        require_sample_weights(self.sample_weights)


def fit_limma(expression: Expression, design: Design, setting: FitSetting) -> Fit:
    """Fit the design to the logs of every gene, and squeeze the variances."""
    options, scale = setting.options, expression.scale
    unit = scale.log2_per_unit if scale.is_log else 1.0
    logs = _Logs(expression, Basis.from_design(design.matrix), design.matrix, setting)
    samples = given_weights(setting.obs, options.sample_weights)
    if options.sample_weights is True:
        samples = logs.sample_weights()
    blocks = logs.blocks(samples)

    def models_of(values: Float, weights: Float | None) -> Columns:
        in_log2, weights = values * unit, both_weights(weights, samples)
        models = fit_gene_models(in_log2, logs.basis, weights=weights, blocks=blocks)
        return model_columns(models, mean_of_known(in_log2))

    def columns(block: GeneBlock) -> Columns:
        models = in_parts(models_of, block.values, block.weights)
        return {"base_mean": mean_of_known(block.linear), **models}

    genes = logs.map(columns, "linear models")
    shared: dict[str, Any] = {"is_log": scale.is_log}
    if blocks is not None:
        shared["correlation"] = blocks.correlation
    fit = moderated_fit(
        design.matrix, genes, trend=options.trend, robust=options.robust, shared=shared
    )
    return replace(fit, obs={} if samples is None else {"sample_weights": samples})


@dataclass(frozen=True, slots=True)
class _Logs:
    """The logs to be fitted, and what is learnt of the samples from all of them."""

    expression: Expression
    basis: Basis
    design: Float
    setting: FitSetting

    def map(self, function: Callable[[GeneBlock], Columns], label: str) -> Columns:
        """Apply to every block of genes."""
        n_threads = self.setting.n_threads
        return self.expression.map_blocks(function, n_threads=n_threads, label=label)

    def sample_weights(self) -> Float:
        """By restricted likelihood; gene by gene where values are missing or weighted."""
        gaps = self.map(lambda block: {"gaps": np.isnan(block.values).any(axis=0)}, "gaps")
        if self.expression.weights is None and not gaps["gaps"].any():
            return reml_weights(self._relative_squares, self.design)
        learner = GeneByGene(self.design)

        def learn(block: GeneBlock) -> Columns:
            learner.add(block.values, block.weights)
            return {}

        self.expression.map_blocks(learn, n_threads=1, label="sample weights")  # genes in order
        return learner.weights

    def _relative_squares(self, weights: Float) -> tuple[Float, int]:
        def columns(block: GeneBlock) -> Columns:
            squares, n = relative_squares_of(block.values, self.design, weights)
            return {"squares": squares[None], "n": np.array([n])}

        sums = self.map(columns, "sample weights")
        return sums["squares"].sum(axis=0), int(sums["n"].sum())

    def blocks(self, samples: Float | None) -> Blocks | None:
        """Repeated measures, with the consensus of the genes' correlations."""
        codes = block_codes(self.setting)
        if codes is None:
            return None

        def columns(block: GeneBlock) -> Columns:
            every = both_weights(block.weights, samples)
            if every is not None:
                every = np.broadcast_to(every, block.values.shape)
            return {"atanh": atanh_correlations(block.values, self.basis, codes, weights=every)}

        return Blocks(codes, consensus_correlation(self.map(columns, "correlation")["atanh"]))
