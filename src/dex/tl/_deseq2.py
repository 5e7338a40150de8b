"""DESeq2: shrunken dispersions, Wald and likelihood ratio tests, outliers, filtering [Love2014]_.

.. [Love2014] Love MI, Huber W, Anders S (2014). Moderated estimation of fold change and dispersion
   for RNA-seq data with DESeq2. Genome Biology 15, 550.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np

from dex.errors import InputError
from dex.results.schema import EFFECTS, Status
from dex.stats.cooks import cooks_cutoff
from dex.stats.design_rows import DesignRows
from dex.stats.gene_dispersion import fit_means
from dex.stats.independent_filtering import FilteredAdjustment, filtered_adjustment
from dex.stats.nested import NullModel, nb_deviance
from dex.stats.tails import chi2_log10_pval
from dex.stats.wald import wald_test
from dex.tl._deseq2_fit import fit_deseq2, fitted_counts
from dex.tl._deseq2_shrink import shrunken
from dex.tl._model import Tested
from dex.tl._options import require_choice, require_level

if TYPE_CHECKING:
    from dex.data.expression import Columns, Expression
    from dex.results.fit import Fit
    from dex.tl._model import TestSetting
    from dex.typing import Bool, Float

__all__ = ["Deseq2FitOptions", "Deseq2TestOptions", "any_of", "each", "fit_deseq2", "rereads"]
_LN2 = float(np.log(2.0))


@dataclass(frozen=True, slots=True)
class Deseq2FitOptions:
    """Options of the fit."""

    fit_type: Literal["parametric", "local", "mean"] = "parametric"
    """Trend of the dispersions over the means: ``a + b / mean``, a local regression, or none."""
    prior_var: float | None = None
    """Variance of log dispersions around their trend; by default it is estimated."""
    refit_outliers: int | None = 7
    """Replicates that a group must have for outlying counts to be replaced, and the gene fitted
    again; None leaves all counts as they are."""

    def __post_init__(self) -> None:
        """Refuse what there is not."""
        require_choice("fit_type", self.fit_type, ("parametric", "local", "mean"))
        if self.prior_var is not None and not self.prior_var > 0:
            msg = f"prior_var={self.prior_var!r} is not a variance; give a positive number or None."
            raise InputError(msg)
        if self.refit_outliers is not None and self.refit_outliers < 3:
            msg = f"refit_outliers={self.refit_outliers!r}: give 3 replicates or more, or None."
            raise InputError(msg)


@dataclass(frozen=True, slots=True)
class Deseq2TestOptions:
    """Options of the tests."""

    alpha: float = 0.1
    """Level at which results will be used: the filter is chosen for it."""
    independent_filtering: bool = True
    """Whether genes with low means get no adjusted p-value, so that others are found."""
    cooks: bool = True
    """Whether genes with an outlying count get no p-value."""
    equivalence: bool = False
    """Test that the effect is smaller than ``lfc`` in size."""
    use_t: bool = False
    """Take p-values from t with the residual degrees of freedom."""
    shrink: Literal["apeglm", "normal", "ash"] | None = None
    """Also give fold changes shrunk towards zero, with s-values: by a Cauchy prior (apeglm), by
    DESeq2's normal one, or by a mixture of normals (ash)."""

    def __post_init__(self) -> None:
        """Refuse what there is not."""
        require_level("alpha", self.alpha)
        for name in ("independent_filtering", "cooks", "equivalence", "use_t"):
            require_choice(name, getattr(self, name), (False, True))
        require_choice("shrink", self.shrink, (None, "apeglm", "normal", "ash"))


def each(fit: Fit, contrasts: Float, setting: TestSetting) -> Tested:
    """Every contrast by its Wald test; ``contrasts`` is ``(n_tests, n_coefs)``."""
    options = setting.options
    estimate, se = fit.coef @ contrasts.T, _standard_errors(fit, contrasts)
    alternative = _alternative(setting)
    test = wald_test(
        estimate,
        se,
        threshold=setting.lfc,
        alternative=alternative,
        df=fit.df_residual if options.use_t else None,
    )
    stat, log10_pval = test.stat, test.log10_pval
    silent = _silent(fit, contrasts, setting)
    if silent.any():
        estimate, stat = np.where(silent, 0.0, estimate), np.where(silent, 0.0, stat)
        log10_pval = np.where(silent, 0.0, log10_pval)
    columns = {"log2fc": estimate, "log2fc_se": se, "stat": stat, "log10_pval": log10_pval}
    if options.use_t:
        columns["df"] = np.full_like(stat, fit.df_residual)
    if options.shrink is not None and fit.df_residual > 0:
        columns |= shrunken(fit, contrasts, fit.coef @ contrasts.T, se, setting)
    return _finished(columns, fit, setting)


def rereads(setting: TestSetting) -> bool:
    """Whether tests need the counts: those that fit again, and shrinkage by the likelihood."""
    return setting.options.shrink in {"apeglm", "normal"}


def any_of(fit: Fit, contrasts: Float, setting: TestSetting) -> Tested:
    """Return whether any of the contrasts differs from zero: likelihood ratio tests."""
    if setting.lfc > 0 or setting.options.equivalence or setting.options.shrink is not None:
        msg = (
            "test='any' is a likelihood ratio test, which has no threshold and no effect of its "
            "own: leave out lfc=, equivalence= and shrink=."
        )
        raise InputError(msg)
    expression = cast("Expression", setting.expression)
    null = NullModel.of(fit.design, contrasts)
    full = DesignRows.from_design(fit.design)
    if null.design.n_coefs == 0:
        msg = "the contrasts leave nothing of the design: method='deseq2' needs an intercept."
        raise InputError(msg)
    depths = expression.depths("size_factor")

    def columns(raw: Float, place: slice) -> Columns:
        here = depths.of(place)
        counts = fitted_counts(raw, here, place, fit)
        known = np.isfinite(fit.genes["dispersion"][place])
        dispersion = np.where(known, fit.genes["dispersion"][place], 1.0)
        coef = np.where(known[:, None], fit.coef[place] * _LN2, 0.0)
        restricted = fit_means(counts, here, null.design, dispersion)
        deviances = [
            nb_deviance(counts, rows, here, dispersion, at)
            for rows, at in ((null.design, restricted.coef), (full, coef))
        ]
        return {"stat": np.where(known, deviances[0] - deviances[1], np.nan)[:, None]}

    parts = expression.blocks.map_placed(columns, setting.n_threads, "likelihood ratio tests")
    stat = np.concatenate([part["stat"] for part in parts])
    tested = {
        "log2fc": np.full_like(stat, np.nan),
        "stat": stat,
        "df": np.full_like(stat, null.df),
        "log10_pval": chi2_log10_pval(np.maximum(stat, 0), null.df),
    }
    done = _finished(tested, fit, setting)
    done.columns[EFFECTS] = fit.coef @ contrasts.T
    return done


def _alternative(setting: TestSetting) -> Any:
    if not setting.options.equivalence:
        return setting.alternative
    if not setting.lfc > 0 or setting.alternative != "two-sided":
        msg = "equivalence=True tests that an effect is within lfc=: give lfc > 0, two-sided."
        raise InputError(msg)
    return "within"


def _standard_errors(fit: Fit, contrasts: Float) -> Float:
    k = fit.design.shape[1]
    first, second = np.triu_indices(k)
    products = contrasts[:, first] * contrasts[:, second] * np.where(first == second, 1.0, 2.0)
    with np.errstate(invalid="ignore"):
        return np.sqrt(cast("Float", fit.cov) @ products.T)


def _silent(fit: Fit, contrasts: Float, setting: TestSetting) -> Bool:
    """Genes without counts in the observations that a contrast compares, ``(n_vars, n_tests)``.

    These are two groups or, of other contrasts with both signs, the observations of the
    coefficients. Their difference is zero, whatever the coefficients, which are as far down as the
    floor lets them.
    """
    compared = _compared(fit, contrasts, setting)
    if setting.expression is None or compared.all():
        return np.zeros((len(fit.coef), len(contrasts)), dtype=bool)

    def columns(raw: Float) -> Bool:
        seen = [(np.rint(raw[rows]) > 0).any(axis=0) for rows in compared]
        return np.stack(seen, axis=1)

    seen = setting.expression.blocks.map(columns, setting.n_threads, "genes without counts")
    return np.asarray(~np.concatenate(seen) & (fit.genes["base_mean"] > 0)[:, None])


def _compared(fit: Fit, contrasts: Float, setting: TestSetting) -> Bool:
    """Observations that each contrast is about, ``(n_tests, n_obs)``."""
    by_sign = np.ones((len(contrasts), len(fit.design)), dtype=bool)
    for i, contrast in enumerate(contrasts):
        if (contrast > 0).any() and (contrast < 0).any():
            by_sign[i] = (fit.design[:, contrast != 0] != 0).any(axis=1)
    if setting.compared is None:
        return by_sign
    of_groups = setting.compared
    return np.where(of_groups.all(axis=1)[:, None], by_sign, of_groups)


def _finished(columns: Columns, fit: Fit, setting: TestSetting) -> Tested:
    """Take p-values from genes with outliers, and adjust the others, filtered."""
    outlier = np.zeros(len(fit.coef), dtype=bool)
    if setting.options.cooks and fit.df_residual > 0:
        outlier = _has_outlier(fit)
        columns["log10_pval"] = np.where(outlier[:, None], np.nan, columns["log10_pval"])
    return filtered(columns, fit, setting, outlier=outlier)


def filtered(
    columns: Columns, fit: Fit, setting: TestSetting, *, outlier: Bool | None = None
) -> Tested:
    """Adjust p-values by independent filtering, and say of every gene why it has none."""
    options = setting.options
    status = np.full(columns["stat"].shape, Status.TESTED, dtype=np.int8)
    if outlier is not None:
        status[outlier] = Status.OUTLIER
    columns["status"] = status
    if not options.independent_filtering or fit.df_residual == 0:
        return Tested(columns)
    if setting.padj_scope == "global":
        msg = (
            "padj_scope='global' adjusts over all tests together, and independent filtering over "
            "the genes of each: independent_filtering=False, or padj_scope='test'."
        )
        raise InputError(msg)
    base_mean = fit.genes["base_mean"]
    chosen = [
        filtered_adjustment(log_p, base_mean, alpha=options.alpha, method=setting.padj_method)
        for log_p in columns["log10_pval"].T
    ]
    columns["log10_padj"] = np.stack([one.log10_padj for one in chosen], axis=1)
    lost = np.isnan(columns["log10_padj"]) & ~np.isnan(columns["log10_pval"])
    status[lost] = Status.LOW_COUNT
    return Tested(columns, params=_filter_params(chosen))


def _has_outlier(fit: Fit) -> Bool:
    """Genes whose largest Cook's distance is too large, unless other counts are larger."""
    with np.errstate(invalid="ignore"):
        flagged = fit.genes["max_cooks"] > cooks_cutoff(*fit.design.shape)
    excused = (fit.genes["cooks_excused"] > 0) & bool(fit.shared["two_groups"])
    return np.asarray(flagged & ~excused)


def _filter_params(chosen: list[FilteredAdjustment]) -> dict[str, Any]:
    return {
        "filter_cutoff": np.array([one.cutoff for one in chosen]),
        "filter_quantile": np.array([one.quantile for one in chosen]),
    }
