"""Fold changes shrunk towards zero, the more, the less is known of them; s-values."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, cast

import numpy as np

from dex.stats.adaptive_shrinkage import fit_unimodal_prior, shrink_unimodal
from dex.stats.design_rows import DesignRows
from dex.stats.false_sign_rate import normal_false_sign_rate, s_values
from dex.stats.isolated_contrast import isolate_contrast
from dex.stats.shrinkage_cauchy import cauchy_scale, shrink_cauchy
from dex.stats.shrinkage_normal import normal_prior_variances, shrink_normal

if TYPE_CHECKING:
    from collections.abc import Callable

    from dex.data.expression import Columns, Expression
    from dex.results.fit import Fit
    from dex.stats.isolated_contrast import IsolatedContrast
    from dex.stats.shrunk_effects import ShrunkEffects
    from dex.tl._model import TestSetting
    from dex.typing import Float

_LN2 = float(np.log(2.0))


def shrunken(
    fit: Fit, contrasts: Float, estimate: Float, se: Float, setting: TestSetting
) -> Columns:
    """Shrink every contrast by ``shrink=``; ``estimate`` and ``se`` are ``(n_vars, n_tests)``."""
    parts = [
        _of_one(fit, contrast, estimate[:, i], se[:, i], setting)
        for i, contrast in enumerate(contrasts)
    ]
    return {name: np.stack([part[name] for part in parts], axis=1) for name in parts[0]}


def _of_one(fit: Fit, contrast: Float, estimate: Float, se: Float, setting: TestSetting) -> Columns:
    if setting.options.shrink == "ash":
        posterior = shrink_unimodal(estimate, se, fit_unimodal_prior(estimate, se), lfc=setting.lfc)
        return _columns(posterior.estimate, posterior.sd, posterior.false_sign_rate)
    isolated = isolate_contrast(fit.design, contrast)
    coef = isolated.coefs(fit.coef * _LN2)
    if setting.options.shrink == "apeglm":
        scale = cauchy_scale(estimate * _LN2, se * _LN2)
        shrink: Callable[..., ShrunkEffects] = partial(shrink_cauchy, scale=scale)
    else:
        variances = normal_prior_variances(
            coef,
            isolated.design,
            base_mean=fit.genes["base_mean"],
            dispersion_trend=fit.genes["dispersion_trend"],
        )
        shrink = partial(shrink_normal, variances=variances)
    with_start = setting.options.shrink == "apeglm"
    value, sd = _by_block(fit, isolated, coef if with_start else None, shrink, setting)
    return _columns(value, sd, normal_false_sign_rate(value, sd, setting.lfc))


def _columns(value: Float, sd: Float, false_sign_rate: Float) -> Columns:
    return {
        "log2fc_shrunk": value,
        "log2fc_shrunk_sd": sd,
        "svalue": s_values(false_sign_rate),
    }


def _by_block(
    fit: Fit,
    isolated: IsolatedContrast,
    start: Float | None,
    shrink: Callable[..., ShrunkEffects],
    setting: TestSetting,
) -> tuple[Float, Float]:
    """Mode and width in log2, from the counts, outliers and all: what was replaced is a trial."""
    expression = cast("Expression", setting.expression)
    depths, design = expression.depths("size_factor"), DesignRows.from_design(isolated.design)

    def of_genes(raw: Float, place: slice) -> Float:
        dispersion = fit.genes["dispersion"][place]
        known = np.isfinite(dispersion)
        begin = {} if start is None else {"start": np.where(known[:, None], start[place], 0.0)}
        counts, some = np.rint(raw), np.where(known, dispersion, 1.0)
        found = shrink(counts, design, depths.of(place), some, effect=isolated.coef, **begin)
        both = np.stack([found.estimate, found.sd], axis=1) / _LN2
        return np.where(known[:, None], both, np.nan)

    parts = expression.blocks.map_placed(of_genes, setting.n_threads, "shrinkage")
    value, sd = np.concatenate(parts).T
    return value, sd
