"""The registry of methods: what each is called, needs, cites and runs."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from dex.data.scale import Scale
from dex.tl import (
    _deseq2,
    _deseq2_quasi,
    _edger,
    _edger_exact,
    _edger_lrt,
    _edger_tests,
    _limma,
    _limma_voom,
    _linear,
    _mixed,
    _moderated,
    _two_sample,
)
from dex.tl._model import NoOptions

if TYPE_CHECKING:
    from collections.abc import Callable

    from dex.data.expression import Columns
    from dex.results.fit import Fit
    from dex.tl._model import Tested, TestSetting
    from dex.typing import Bool, Float

BlockUse = Literal["", "pairs", "strata", "repeats"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """A way to rank genes."""

    name: str
    title: str
    """As it stands in a methods paragraph."""
    citation: str
    omnibus_title: str = ""
    """Of the test over all groups or contrasts; empty where there is no such test."""
    on_means: bool = True
    """Whether ``lfc=``, a threshold on a difference of means in log2, makes sense."""
    one_sided: bool = True
    """Whether ``alternative=`` has a meaning."""
    block: BlockUse = ""
    """What ``block=`` is to it: which observations are a pair, strata, repeated measures."""

    @property
    def model(self) -> bool:
        """Whether a design is fitted, which may hold covariates; else groups are compared."""
        return isinstance(self, ModelMethod)


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoSampleMethod(Method):
    """Compares groups of observations in pairs."""

    each: Callable[..., Columns]
    """One test per group."""
    omnibus: Callable[..., Columns] | None = None
    """One test over all groups; None where there is no such test."""
    fewest: int = 1
    """Observations that each side of a test must have for a p-value."""
    stratified_title: str = ""
    stratified_citation: str = ""

    @property
    def on_ranks(self) -> bool:
        """Whether ranks of two groups are compared: exact when small."""
        return self.block == "strata"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelMethod(Method):
    """Fits a design, then tests contrasts of its coefficients."""

    fit: Callable[..., Fit]
    """``(Expression, Design, FitSetting)``."""
    each: Callable[[Fit, Float, TestSetting], Tested]
    """One test per contrast, of the rows of ``(n_tests, n_coefs)``."""
    omnibus: Callable[[Fit, Float, TestSetting], Tested] | None = None
    """One test of all contrasts together."""
    fit_options: type[Any] = NoOptions
    test_options: type[Any] = NoOptions
    untestable: Callable[[Fit, Float, TestSetting], Bool] | None = None
    """Contrasts that have no standard error, ``(n_tests,)``."""
    untestable_note: str = ""
    """Why, with ``{names}``."""
    rereads: Callable[[TestSetting], bool] = lambda _: False
    """Whether the tests need the values that were fitted."""
    omnibus_rereads: bool = False
    """Likewise the omnibus test."""
    gaps: bool = False
    """Whether values may be missing."""
    counts: bool = False
    """Whether counts are modelled as they are; else logs are, which may be made of counts."""
    whole: bool = False
    """Whether counts are rounded."""
    size_factors: str = "auto"
    """By which counts are normalised unless the user says otherwise."""
    scale: Scale = Scale.LOGCPM
    """Of count models: the unit of means, per million or per size factor (``LN1P``)."""

    def option_names(self, kind: type[Any]) -> tuple[str, ...]:
        """Names of the options of a step."""
        return tuple(field.name for field in fields(kind))


METHODS: dict[str, Method] = {
    method.name: method
    for method in (
        TwoSampleMethod(
            name="t-test",
            title="Welch's t-test",
            citation="Welch (1947), Biometrika 34:28-35",
            each=_two_sample.t_test,
            omnibus=_two_sample.analysis_of_variance,
            omnibus_title="Welch's analysis of variance",
            fewest=2,
        ),
        TwoSampleMethod(
            name="t-test-student",
            title="Student's t-test",
            citation="Student (1908), Biometrika 6:1-25",
            each=partial(_two_sample.t_test, equal_var=True),
            omnibus=partial(_two_sample.analysis_of_variance, equal_var=True),
            omnibus_title="analysis of variance",
        ),
        TwoSampleMethod(
            name="t-test-paired",
            title="paired t-test",
            citation="Student (1908), Biometrika 6:1-25",
            each=_two_sample.paired,
            block="pairs",
        ),
        TwoSampleMethod(
            name="wilcoxon",
            title="Wilcoxon rank-sum test",
            citation="Mann & Whitney (1947), Annals of Mathematical Statistics 18:50-60",
            each=_two_sample.wilcoxon,
            omnibus=_two_sample.kruskal,
            omnibus_title="Kruskal-Wallis test",
            on_means=False,
            block="strata",
            stratified_title="van Elteren's stratified Wilcoxon rank-sum test",
            stratified_citation=(
                "van Elteren (1960), Bulletin of the International Statistical Institute 37:351-361"
            ),
        ),
        ModelMethod(
            name="ols",
            title="ordinary least squares",
            citation="Fisher (1922), Journal of the Royal Statistical Society 85:597-612",
            fit=_linear.fit_ols,
            each=_linear.ols,
            omnibus=_linear.ols_any,
            omnibus_title="F test",
            test_options=_linear.OlsOptions,
            rereads=lambda setting: setting.options.vcov == "HC3",
            untestable=_linear.without_hc3,
            untestable_note=(
                "HC3 has no standard error for {names}, which rest on an observation that the "
                "design fits whatever its value: no p-values."
            ),
        ),
        ModelMethod(
            name="edger",
            title="edgeR's quasi-likelihood F test",
            citation="Chen et al. (2025), Nucleic Acids Research 53:gkaf018",
            fit=_edger.fit_quasi_likelihood,
            each=_edger_tests.nested_each,
            omnibus=_edger_tests.nested_any,
            omnibus_title="quasi-likelihood F test",
            fit_options=_edger.QuasiOptions,
            test_options=_edger_tests.NestedOptions,
            rereads=lambda _: True,
            counts=True,
            size_factors="tmm",
        ),
        ModelMethod(
            name="edger_lrt",
            title="edgeR's likelihood ratio test",
            citation="McCarthy, Chen & Smyth (2012), Nucleic Acids Research 40:4288-4297",
            fit=_edger_lrt.fit_tagwise,
            each=_edger_tests.nested_each,
            omnibus=_edger_tests.nested_any,
            omnibus_title="edgeR's likelihood ratio test",
            fit_options=_edger_lrt.TagwiseOptions,
            test_options=_edger_tests.NestedOptions,
            rereads=lambda _: True,
            counts=True,
            size_factors="tmm",
        ),
        ModelMethod(
            name="edger_exact",
            title="edgeR's exact test",
            citation="Robinson & Smyth (2008), Biostatistics 9:321-332",
            fit=_edger_lrt.fit_tagwise,
            each=_edger_exact.exact_each,
            fit_options=_edger_lrt.TagwiseOptions,
            on_means=False,
            one_sided=False,
            rereads=lambda _: True,
            counts=True,
            size_factors="tmm",
        ),
        ModelMethod(
            name="deseq2",
            title="DESeq2's Wald test",
            citation="Love, Huber & Anders (2014), Genome Biology 15:550",
            fit=_deseq2.fit_deseq2,
            each=_deseq2.each,
            omnibus=_deseq2.any_of,
            omnibus_title="DESeq2's likelihood ratio test",
            fit_options=_deseq2.Deseq2FitOptions,
            test_options=_deseq2.Deseq2TestOptions,
            rereads=_deseq2.rereads,
            omnibus_rereads=True,
            counts=True,
            whole=True,
            size_factors="median_ratio",
            scale=Scale.LN1P,
        ),
        ModelMethod(
            name="deseq2_quasi",
            title="quasi-likelihood F test (DESeq2 with glmGamPoi)",
            citation="Ahlmann-Eltze & Huber (2020), Bioinformatics 36:5701-5702",
            fit=_deseq2_quasi.fit_quasi_deseq2,
            each=_deseq2_quasi.each,
            omnibus=_deseq2_quasi.any_of,
            omnibus_title="quasi-likelihood F test (DESeq2 with glmGamPoi)",
            test_options=_deseq2_quasi.QuasiTestOptions,
            rereads=lambda _: True,
            omnibus_rereads=True,
            counts=True,
            whole=True,
            size_factors="median_ratio",
            scale=Scale.LN1P,
        ),
        ModelMethod(
            name="limma",
            title="moderated t-test (limma)",
            citation="Ritchie et al. (2015), Nucleic Acids Research 43:e47",
            fit=_limma.fit_limma,
            each=_moderated.moderated_t,
            omnibus=_moderated.moderated_f,
            omnibus_title="moderated F test (limma)",
            fit_options=_limma.LimmaOptions,
            test_options=_moderated.ModeratedOptions,
            block="repeats",
            gaps=True,
        ),
        ModelMethod(
            name="limma_voom",
            title="moderated t-test (limma-voom)",
            citation="Law et al. (2014), Genome Biology 15:R29",
            fit=_limma_voom.fit_voom,
            each=_moderated.moderated_t,
            omnibus=_moderated.moderated_f,
            omnibus_title="moderated F test (limma-voom)",
            fit_options=_limma_voom.VoomOptions,
            test_options=_moderated.ModeratedOptions,
            block="repeats",
            counts=True,
            size_factors="tmm",
        ),
        ModelMethod(
            name="mixed",
            title="linear mixed model with Satterthwaite's degrees of freedom",
            citation="Kuznetsova, Brockhoff & Christensen (2017), J Stat Softw 82(13)",
            fit=_mixed.fit_mixed,
            each=_mixed.mixed_t,
            omnibus=_mixed.mixed_f,
            omnibus_title="F test of a linear mixed model",
            fit_options=_mixed.MixedOptions,
            test_options=_mixed.MixedTestOptions,
            block="repeats",
        ),
    )
}
