"""From a source, by a recipe, to a layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from dex._logging import logger
from dex.data import Scale
from dex.data.layers import Layer
from dex.data.size_factors import EDGER, TITLES, Factors, estimate_factors
from dex.data.sums import Sums
from dex.data.threads import thread_count
from dex.errors import InputError
from dex.pp._lengths import divide_genes
from dex.pp._matrices import map_genes, map_scaled, set_mean_quantiles
from dex.pp._methods import METHODS, OF_LOGS
from dex.pp._stabilise import NOT_STABILISING, STABILISED, Stabilising, stabilise
from dex.stats.cyclic_loess import cyclic_loess
from dex.stats.normalize import log_cpm, million_factors, zscores

if TYPE_CHECKING:
    import pandas as pd

    from dex.data import Source
    from dex.pp._methods import Method, Recipe
    from dex.pp._stabilise import Stabilised
    from dex.typing import Float

_LARGE_BYTES = 1e9
_KILOBASE = 1000.0


@dataclass(frozen=True, slots=True)
class Options:
    """Settings that some of the methods have."""

    prior_count: float
    max_value: float | None
    dtype: str
    n_threads: int | None
    lengths: Float | None = None
    """Of genes, in bases; for RPKM."""
    stabilising: Stabilising = NOT_STABILISING
    """For vst and rlog."""

    def __post_init__(self) -> None:
        """Refuse what there is not."""
        thread_count(self.n_threads)
        if str(self.dtype) not in {"float64", "float32"}:
            msg = f"dtype={self.dtype!r} is not possible; it is 'float64' or 'float32'."
            raise InputError(msg)
        _check_positive("prior_count", self.prior_count)
        if self.max_value is not None:
            _check_positive("max_value", self.max_value)

    def check_for(self, method: str) -> None:
        """Refuse what a method has no use of."""
        self.stabilising.check_for(method)
        if self.max_value is not None and method != "zscore":
            msg = f"max_value= clips z-scores; method={method!r} has no use of it."
            raise InputError(msg)


def _check_positive(name: str, value: object) -> None:
    number = isinstance(value, int | float | np.integer | np.floating)
    if not number or isinstance(value, bool) or not 0 < value < np.inf:  # type: ignore[operator]
        msg = f"{name}={value!r} is not possible; give a positive number."
        raise InputError(msg)


@dataclass(frozen=True, slots=True)
class _Step:
    """From blocks of genes of the source to linear values or logs."""

    source: Source
    method: Method | None
    """None takes logs as they are."""
    factors: Factors | None
    """None divides by nothing."""
    prior_count: float

    @classmethod
    def from_source(
        cls, source: Source, recipe: Recipe, options: Options, obs: pd.DataFrame
    ) -> _Step:
        """Estimate the size factors; counts and linear values are checked on the way."""
        rows, n_threads = np.arange(len(source.obs_names)), options.n_threads
        factors = None
        if recipe.size_factors is not None:
            method = recipe.size_factors
            factors = estimate_factors(source, rows, method, obs=obs, n_threads=n_threads)
        elif recipe.counts is not None:
            Sums.of(source, rows, n_threads=n_threads)
        return cls(source, recipe.counts, factors, options.prior_count)

    @property
    def size_factors(self) -> Float | None:
        """What the counts are divided by, shape ``(n_obs,)``."""
        if self.factors is None or self.method is None:
            return None
        per_million = self.method.per_million
        return million_factors(self.factors.effective) if per_million else self.factors.size_factors

    @property
    def pseudocount(self) -> float:
        """About one count per typical library, in linear units."""
        if self.factors is None or self.method is None:
            return self.source.pseudocount
        if self.method.per_million:
            return float(1e6 / self.factors.effective.mean())
        return 1 / self.factors.typical

    def values(self, raw: Float) -> Float:
        """Of a block of genes, ``(n_obs, n_genes)``."""
        if self.method is None:
            if np.isinf(raw).any():
                msg = f"{self.source.where} has infinite values; logs are finite, or NaN (missing)."
                raise InputError(msg)
            return raw
        if self.method.function is None:
            assert self.factors is not None  # all methods without a function have some
            return log_cpm(raw, self.factors.effective, prior_count=self.prior_count)
        factors = self.size_factors
        return self.method.function(raw if factors is None else raw / factors[:, None])

    def log2_values(self, raw: Float) -> Float:
        """Likewise, in log2; for the sake of logs that are taken as they are."""
        natural = self.method is None and self.source.scale is Scale.LN1P
        return self.values(raw) / np.log(2) if natural else self.values(raw)


def make_layer(
    source: Source, recipe: Recipe, options: Options, *, name: str, obs: pd.DataFrame
) -> Layer:
    """Make the layer of that name by the steps of the recipe."""
    step = _Step.from_source(source, recipe, options, obs)
    corrected = step.factors is not None and step.factors.method in EDGER
    params = _params(recipe, source, options)
    if recipe.method in STABILISED:
        _announce_dense(source.matrix, name, np.dtype(options.dtype).itemsize)
        made = _stabilised(step, recipe, options, obs)
        matrix, params = made.matrix, params | made.params
    else:
        matrix = _matrix(step, recipe, options, name)
    return Layer(
        name,
        matrix,
        recipe.gives,
        _pseudocount(step, options),
        recipe.method,
        "X" if source.layer is None else source.layer,
        step.size_factors,
        step.factors.norm_factors if corrected and step.factors is not None else None,
        params,
    )


def _stabilised(step: _Step, recipe: Recipe, options: Options, obs: pd.DataFrame) -> Stabilised:
    factors = step.size_factors
    assert factors is not None  # these methods always divide
    how, dtype = options.stabilising, options.dtype
    n = options.n_threads
    return stabilise(step.source, recipe.method, factors, how, obs=obs, dtype=dtype, n_threads=n)


def _pseudocount(step: _Step, options: Options) -> float:
    if options.lengths is None:
        return step.pseudocount
    return float(step.pseudocount * _KILOBASE / np.median(options.lengths))


def sentence(layer: Layer, recipe: Recipe, source: Source) -> str:
    """Say what was made."""
    by = TITLES.get(recipe.size_factors or "", f"obs[{recipe.size_factors!r}]")
    how = f" ({by})" if recipe.size_factors else ""
    return f"layers[{layer.name!r}] holds {recipe.words} {source.where}{how}."


def _params(recipe: Recipe, source: Source, options: Options) -> dict[str, str | float]:
    params: dict[str, str | float] = {"size_factor_method": recipe.size_factors or ""}
    if recipe.counts is not None and recipe.counts.name == "logcpm":
        params["prior_count"] = float(options.prior_count)
    if recipe.method in OF_LOGS:
        params["logs"] = str(source.scale) if recipe.counts is None else recipe.counts.name
    if options.max_value is not None:
        params["max_value"] = float(options.max_value)
    return params


def _matrix(step: _Step, recipe: Recipe, options: Options, name: str) -> Any:
    """Values of the layer: sparse if they can be."""
    matrix, n_threads = step.source.matrix, options.n_threads
    if step.method is not None and step.method.function is not None and recipe.method in METHODS:
        factors = np.ones(matrix.shape[0]) if step.size_factors is None else step.size_factors
        function = step.method.function
        made = map_scaled(matrix, function, factors, dtype=options.dtype, n_threads=n_threads)
        if options.lengths is not None:
            divide_genes(made, options.lengths / _KILOBASE)
        return made
    _announce_dense(matrix, name, np.dtype(options.dtype).itemsize)
    if recipe.method == "zscore":
        clip = options.max_value
        z = lambda raw: zscores(step.values(raw), max_value=clip)  # noqa: E731
        return map_genes(matrix, z, options.dtype, n_threads=n_threads)
    if recipe.method == "quantile":
        logs = map_genes(matrix, step.log2_values, "float64", n_threads=n_threads)
        set_mean_quantiles(logs, n_threads=n_threads)
        return logs.astype(options.dtype, copy=False)
    if recipe.method == "cyclic_loess":
        logs = map_genes(matrix, step.log2_values, "float64", n_threads=n_threads)
        return cyclic_loess(logs).astype(options.dtype, copy=False)
    return map_genes(matrix, step.values, options.dtype, n_threads=n_threads)


def _announce_dense(matrix: Any, name: str, itemsize: int) -> None:
    """Say so before a sparse matrix is made into a large dense one."""
    n_obs, n_vars = matrix.shape
    n_bytes = float(n_obs) * n_vars * itemsize
    if sparse.issparse(matrix) and n_bytes > _LARGE_BYTES:
        logger.info(
            "layers[%r] of %d x %d is dense and takes %.1f GB; 'log1p' keeps a matrix sparse.",
            name,
            n_obs,
            n_vars,
            n_bytes / 1e9,
        )
