"""The samples behind a result: what gene sets are tested with."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from dex.data.lengths import Lengths
from dex.data.reader import read_rows
from dex.data.source import layer_names
from dex.data.sums import row_totals
from dex.design.labels import Labels, column_of
from dex.errors import InputError
from dex.results.schema import CORRELATIONS, DESIGN, OF_SAMPLES, SAMPLE_WEIGHTS
from dex.stats.weighted_model import Blocks
from dex.tl._limma_voom import VoomOptions, logs_with_precision
from dex.tl._model import FitSetting
from dex.tl.methods import METHODS, ModelMethod

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from dex.data import Expression
    from dex.get._tested import Tested
    from dex.results import StoredResult
    from dex.typing import Bool, Float, Int


@dataclass(frozen=True, slots=True)
class SampleModel:
    """Logs of samples and the model whose contrasts are tested."""

    values: Float
    """Logs, ``(n_obs, n_genes)``."""
    design: Float
    """Shape ``(n_obs, n_coefs)``."""
    contrast: Float
    """Shape ``(n_coefs,)``."""
    weights: Float | None
    """Precisions, ``(n_obs,)`` or ``(n_obs, n_genes)``."""
    blocks: Blocks | None
    trend: bool
    """Whether the prior variance follows the mean."""

    def among(self, genes: Bool) -> SampleModel:
        """Only some of the genes, ``(n_genes,)``."""
        own = self.weights is not None and self.weights.ndim == 2
        weights = self.weights[:, genes] if own and self.weights is not None else self.weights
        values = self.values[:, genes]
        return SampleModel(values, self.design, self.contrast, weights, self.blocks, self.trend)


@dataclass(frozen=True, slots=True)
class SampleSource:
    """Samples of a result, found again; :meth:`models` gives those of tests."""

    stored: StoredResult
    tested: Tested
    genes: Int
    """Positions of the genes with a p-value in any test."""
    n_threads: int | None
    inside: Bool
    """Samples of the stratum whose tests are meant, ``(n_obs,)``: all, unless some are apart."""

    @classmethod
    def of(
        cls,
        stored: StoredResult,
        tested: Tested,
        genes: Int,
        *,
        stratum: str | None = None,
        n_threads: int | None,
    ) -> SampleSource:
        """``tested`` is what the result was made of; ``stratum`` a level that was tested apart."""
        inside = np.ones(len(tested.obs), dtype=bool)
        if stratum is not None:
            inside = (tested.obs[str(stored.params["per"])].astype(str) == stratum).to_numpy()
        return cls(stored, tested, genes, n_threads, inside)

    @property
    def transform(self) -> str:
        """What is done to the values, in words."""
        method = METHODS[str(self.stored.params["method"])]
        if isinstance(method, ModelMethod) and method.counts:
            over = "" if self.stored.params.get("lengths") is None else " (over relative lengths)"
            return f"log2 counts per million{over} with voom's precision weights"
        return f"the values that were tested ({self.stored.params['scale']})"

    def models(self, tests: list[int]) -> dict[int, SampleModel]:
        """Models of some tests; those of one design share their values."""
        if "contrasts" in self.stored.params:
            return self._of_fit(tests)
        return {test: self._of_two_samples(test) for test in tests}

    def _of_fit(self, tests: list[int]) -> dict[int, SampleModel]:
        design = self._by_sample(DESIGN)
        if design is None:
            msg = (
                f"the result {self.stored.key!r} has no design matrix (it is of an earlier "
                "version, or of very many coefficients): run dex.tl.rank_genes again, or take "
                "method='ora'."
            )
            raise InputError(msg)
        kept = np.isfinite(design).any(axis=1)  # a stratum may lack columns of others
        n_obs = int(self.stored.params["n_obs"])
        if int(kept.sum()) != n_obs:
            msg = (
                f"adata has {int(kept.sum())} of the {n_obs} observations that were tested under "
                f"{self.stored.key!r}: run dex.tl.rank_genes on these."
            )
            raise InputError(msg)
        kept &= self.inside
        own = np.isfinite(design[kept]).all(axis=0)
        weights = self._by_sample(SAMPLE_WEIGHTS)
        samples = None if weights is None else weights[kept]
        blocks = self._blocks(kept, tests[0])
        made = self._model(np.flatnonzero(kept), design[kept][:, own], samples, blocks)
        vectors = np.atleast_2d(self.stored.params["contrasts"])[:, own]
        return {test: made(vectors[test]) for test in tests}

    def _by_sample(self, name: str) -> Float | None:
        """What was stored of every observation, or of the samples made of cells."""
        stored, params = self.stored, self.stored.params
        if "sample_by" in params:
            given = params.get(OF_SAMPLES[name])
            return None if isinstance(given, str | bool) else given
        held: Any = stored.adata.obsm if name == DESIGN else stored.adata.obs
        column = f"{stored.key}_{name}"
        return np.asarray(held[column], dtype=np.float64) if column in held else None

    def _blocks(self, kept: Bool, test: int) -> Blocks | None:
        block, correlation = self.stored.params.get("block"), self._correlation(test)
        if block is None or correlation is None:
            return None
        labels = Labels.from_column(column_of(self.tested.obs[kept], block, argument="block"))
        codes = np.unique(labels.codes, return_inverse=True)[1]
        return Blocks(np.asarray(codes, dtype=np.intp), correlation)

    def _correlation(self, test: int) -> float | None:
        """Within blocks; of a stratum its own."""
        shared, apart = self.stored.entry.get("shared", {}), self.stored.params.get(CORRELATIONS)
        if apart is None:
            return float(shared["correlation"]) if "correlation" in shared else None
        return None if np.isnan(apart[test]) else float(apart[test])

    def _of_two_samples(self, test: int) -> SampleModel:
        inside = np.flatnonzero(self.inside)
        some, design = _two_groups(self.stored, self.tested.obs.iloc[inside], test)
        rows = inside[some]
        return self._model(rows, design, None, None)(np.eye(design.shape[1])[-1])

    def _model(
        self, rows: Int, design: Float, samples: Float | None, blocks: Blocks | None
    ) -> Callable[[Float], SampleModel]:
        params = self.stored.params
        method = METHODS[str(params["method"])]
        tested = self.tested if params.get("lengths") is None else self._over_lengths(rows)
        expression = tested.expression(self.genes).take(rows)
        if isinstance(method, ModelMethod) and method.counts:
            options = VoomOptions(span=params.get("span", VoomOptions().span))
            setting = FitSetting(options, self.tested.obs.iloc[rows], None, self.n_threads)
            libraries = self._libraries(expression)
            values, precision = logs_with_precision(
                expression, design, libraries, setting, samples=samples, blocks=blocks
            )
            weights: Float | None = precision
            trend = method.name == "limma_voom" and bool(params.get("trend"))
        else:
            scale = expression.scale
            values = expression.values() * (scale.log2_per_unit if scale.is_log else 1.0)
            weights, trend = samples, bool(params.get("trend"))

        return lambda contrast: SampleModel(values, design, contrast, weights, blocks, trend)

    def _over_lengths(self, rows: Int) -> Tested:
        """Counts over the relative transcript lengths that the model had as offsets."""
        name, source = str(self.stored.params["lengths"]), self.tested.source
        layers = self.stored.adata.layers
        if name not in layer_names(self.stored.adata):
            msg = f"adata.layers has lost {name!r}, with which the result was made."
            raise InputError(msg)
        relative = Lengths.of(layers[name], rows, n_threads=self.n_threads)
        scaled = np.zeros(self.stored.adata.shape)
        scaled[rows] = read_rows(source.matrix, rows) / relative.relative(np.arange(len(rows)))
        return replace(self.tested, source=replace(source, matrix=scaled))

    def _libraries(self, expression: Expression) -> Float:
        """Effective libraries; size factors are brought to the libraries' geometric mean."""
        factors = expression.factors
        assert factors is not None  # counts are normalised
        if str(expression.scale) == "logcpm":
            return factors.effective
        totals = row_totals(self.tested.source, n_threads=self.n_threads)[expression.rows]
        divisors = factors.effective
        return np.asarray(divisors * np.exp(np.log(totals).mean() - np.log(divisors).mean()))


def _two_groups(stored: StoredResult, obs: pd.DataFrame, test: int) -> tuple[Int, Float]:
    """Rows of a two-sample test and its design: 1, blocks or pairs, and the group last."""
    params = stored.params
    groupby, block = params.get("groupby"), params.get("block")
    group, reference = stored.field("group")[test], stored.field("reference")[test]
    name = stored.names[test]
    if groupby is None or not group:
        msg = f"test={name!r} compares no two groups; method='ora' needs none."
        raise InputError(msg)
    labels = Labels.from_column(column_of(obs, groupby, argument="groupby"))
    levels = np.array([str(level) for level in labels.levels])
    of_obs = np.where(labels.codes >= 0, levels[labels.codes], "")
    inside = of_obs == group
    outside = (of_obs != "") & ~inside if reference == "rest" else of_obs == reference
    n = (stored.counts("n_group")[test], stored.counts("n_reference")[test])
    if (int(inside.sum()), int(outside.sum())) != n and block is None:
        msg = (
            f"test={name!r} was of {n[0]} against {n[1]} observations, and obs[{groupby!r}] now "
            f"has {int(inside.sum())} and {int(outside.sum())}: run dex.tl.rank_genes on these."
        )
        raise InputError(msg)
    rows = np.flatnonzero(inside | outside)
    nuisance = np.ones((len(rows), 1))
    if block is not None:
        strata = Labels.from_column(column_of(obs.iloc[rows], block, argument="block")).codes
        used = np.unique(strata[strata >= 0])
        nuisance = (strata[:, None] == used[None, :]).astype(np.float64)
        rows, nuisance = rows[strata >= 0], nuisance[strata >= 0]
    return rows, np.column_stack([nuisance, inside[rows].astype(np.float64)])
