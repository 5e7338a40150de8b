"""A linear mixed model per gene: one random intercept per block, REML, Satterthwaite's df.

Estimates and tests are those of lme4 and lmerTest [Kuznetsova2017]_, but for the degrees of freedom
of singular fits: see :func:`dex.stats.mixed_model.fit_mixed_models`.

.. [Kuznetsova2017] Kuznetsova A, Brockhoff PB, Christensen RHB (2017). lmerTest package: tests in
   linear mixed effects models. Journal of Statistical Software 82(13), 1-26.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dex.design.wording import plural
from dex.errors import InputError
from dex.results.fit import Fit
from dex.results.schema import EFFECTS, Status
from dex.stats.basis import Basis
from dex.stats.mixed_model import BlockedDesign, fit_mixed_models
from dex.stats.packed import quadratic_forms
from dex.stats.satterthwaite import contrast_matrices, satterthwaite_df, satterthwaite_f_test
from dex.stats.tails import t_log10_pval, t_quantile
from dex.stats.voom import SPAN, voom_logs
from dex.tl._columns import estimate_columns, t_columns
from dex.tl._limma_samples import block_codes
from dex.tl._limma_voom import Voom, require_span
from dex.tl._model import Tested
from dex.tl._moderated import in_parts, require_probability
from dex.tl._options import require_choice

if TYPE_CHECKING:
    from typing import Literal

    from dex.data.expression import Columns, Expression, GeneBlock
    from dex.design.matrix import Design
    from dex.tl._model import FitSetting, TestSetting
    from dex.typing import Float

_UNCERTAINTY = ("uncertainty_var", "uncertainty_both", "uncertainty_ratio")


@dataclass(frozen=True, slots=True)
class MixedOptions:
    """Options of fits of the mixed model."""

    voom: bool = False
    """Whether counts are taken as voom's logs, each weighted by the precision that it foretells."""
    span: float | Literal["adaptive"] = SPAN
    """Of voom's trend: share of the genes that are neighbours, or by their number."""
    observation_weights: str | None = None
    """Layer with inverse variances of the values, up to a factor; above 0."""

    def __post_init__(self) -> None:
        """Refuse what there is not."""
        require_choice("voom", self.voom, (False, True))
        require_span(self.span)
        if self.voom and self.observation_weights is not None:
            msg = "voom=True makes weights, and observation_weights= gives them: one or the other."
            raise InputError(msg)


@dataclass(frozen=True, slots=True)
class MixedTestOptions:
    """Options of tests by the mixed model."""

    conf_level: float = 0.95
    """Of the confidence intervals."""

    def __post_init__(self) -> None:
        """Refuse what is no probability."""
        require_probability("conf_level", self.conf_level)


def fit_mixed(expression: Expression, design: Design, setting: FitSetting) -> Fit:
    """Fit every gene by restricted maximum likelihood."""
    _require_samples(expression, setting)
    codes = block_codes(setting)
    if codes is None:
        raise InputError(_NO_BLOCK)
    blocked = BlockedDesign.of(Basis.from_design(design.matrix), codes)
    if setting.options.voom:
        genes = _voom_columns(expression, design, setting, blocked)
    else:
        genes = _log_columns(expression, setting, blocked)
    coef, cov, between = (genes.pop(name) for name in ("coef", "cov", "cov_between"))
    shared = {
        "is_log": expression.scale.is_log,
        "df_between": blocked.df_between,
        "df_within": blocked.df_within,
    }
    n = int((genes["var_block"] == 0).sum())
    said = f"{plural(n, 'singular fit')} of {len(coef):,} genes: {_SINGULAR}"
    return Fit(
        design.matrix,
        coef,
        genes,
        cov=cov,
        cov_between=between,
        shared=shared,
        notes=(said,) if n else (),
    )


def _log_columns(expression: Expression, setting: FitSetting, blocked: BlockedDesign) -> Columns:
    scale = expression.scale
    unit = scale.log2_per_unit if scale.is_log else 1.0

    def models_of(values: Float, weights: Float | None) -> Columns:
        return _columns(values * unit, blocked, weights)

    def columns(block: GeneBlock) -> Columns:
        if block.weights is not None and not (block.weights > 0).all():
            raise InputError(_NO_GAPS)
        models = in_parts(models_of, block.values, block.weights)
        return {"base_mean": block.linear.mean(axis=0), **models}

    return expression.map_blocks(columns, n_threads=setting.n_threads, label="mixed models")


def _voom_columns(
    expression: Expression, design: Design, setting: FitSetting, blocked: BlockedDesign
) -> Columns:
    """Models of voom's logs; the trend is that of independent observations."""
    if expression.factors is None:
        msg = f"voom=True weighs counts, and {expression.source.where} holds none; leave it out."
        raise InputError(msg)
    voom = Voom.of(expression, design, setting).with_trend(None, None)

    def columns(counts: Float) -> Columns:
        logs = voom_logs(counts, voom.libraries)
        base_mean = (counts / voom.libraries[:, None]).mean(axis=0) * 1e6
        return {"base_mean": base_mean, **_columns(logs, blocked, voom.precision(logs))}

    return voom.map(columns, "mixed models")


def _columns(in_log2: Float, blocked: BlockedDesign, weights: Float | None) -> Columns:
    models = fit_mixed_models(in_log2, blocked, weights=weights)
    return {
        "coef": models.coef,
        "cov": models.cov,
        "cov_between": models.cov_between,
        "mean_log2": in_log2.mean(axis=0),
        "var": models.var,
        "var_block": models.var * models.ratio,
        **dict(zip(_UNCERTAINTY, models.uncertainty.T, strict=True)),
    }


def mixed_t(fit: Fit, contrasts: Float, setting: TestSetting) -> Tested:
    """Every contrast of the coefficients by t on Satterthwaite's degrees of freedom."""
    variance, between = (quadratic_forms(each, contrasts) for each in _covariances(fit))
    effect, se = fit.coef @ contrasts.T, np.sqrt(variance)
    df = satterthwaite_df(variance, between, _uncertainty(fit))
    stat = np.divide(effect, se, out=np.full(se.shape, np.nan), where=se > 0)
    margin = se * t_quantile((1 + setting.options.conf_level) / 2, df)
    is_log = bool(fit.shared["is_log"])
    name = "log2fc" if is_log else "mean_diff"
    columns = {
        **estimate_columns(effect, se, is_log=is_log),
        **t_columns(stat, t_log10_pval(stat, df), effect, se, df, setting=setting),
        f"{name}_low": effect - margin,
        f"{name}_high": effect + margin,
    }
    return Tested(columns | {"status": _status(fit, len(contrasts))})


def mixed_f(fit: Fit, contrasts: Float, setting: TestSetting) -> Tested:  # noqa: ARG001  # no options
    """Return whether any of the contrasts differs from zero: one F per gene."""
    cov, between = (contrast_matrices(each, contrasts) for each in _covariances(fit))
    effects = fit.coef @ contrasts.T
    test = satterthwaite_f_test(effects, cov, between, _uncertainty(fit))
    columns = {
        "log2fc": np.full((len(effects), 1), np.nan),
        "stat": test.stat[:, None],
        "df": np.asarray(test.df_den)[:, None],
        "log10_pval": test.log10_pval[:, None],
        "status": _status(fit, 1),
        EFFECTS: np.where(bool(fit.shared["is_log"]), effects, np.nan),
    }
    return Tested(columns)


def _covariances(fit: Fit) -> tuple[Float, Float]:
    assert fit.cov is not None  # as fit_mixed() makes them
    assert fit.cov_between is not None
    return fit.cov, fit.cov_between


def _uncertainty(fit: Fit) -> Float:
    return np.stack([fit.genes[name] for name in _UNCERTAINTY], axis=1)


def _status(fit: Fit, n_tests: int) -> np.ndarray[tuple[int, int], np.dtype[np.int8]]:
    codes = np.where(fit.genes["var_block"] == 0, np.int8(Status.SINGULAR), np.int8(Status.TESTED))
    return np.repeat(codes[:, None], n_tests, axis=1)


def _require_samples(expression: Expression, setting: FitSetting) -> None:
    if expression.source.unit == "samples":
        return
    name = setting.block or "donor"
    msg = (
        f"method='mixed' takes samples, and {expression.source.where} holds cells: an intercept of "
        f"each {name!r} leaves out that effects differ between them too, and calls far too many "
        f"genes. replicate={name!r} (or dex.pp.pseudobulk) adds up the cells of each first; "
        "unit='samples' says that these are samples."
    )
    raise InputError(msg)


_NO_BLOCK = (
    "method='mixed' has a random intercept for every level of block=: name the column of obs with "
    "the donors or animals that gave several samples. Without such, method='limma' is the one."
)
_NO_GAPS = (
    "observation_weights= of 0 say that values are missing, which method='mixed' does not allow: "
    "leave such genes or samples out, or use method='limma'."
)
_SINGULAR = (
    "their blocks differ no more than by chance (status singular); degrees of freedom between "
    "blocks are as many as these have."
)
