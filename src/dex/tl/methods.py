"""The registry of methods: what each is called, needs, cites and runs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from dex.tl import _linear, _two_sample

if TYPE_CHECKING:
    from collections.abc import Callable

    from dex.data.expression import Columns


@dataclass(frozen=True, slots=True)
class Method:
    """A way to rank genes."""

    name: str
    title: str
    """As it stands in a methods paragraph."""
    citation: str
    model: bool
    """Whether a design is fitted, which may hold covariates; else groups are compared."""
    each: Callable[..., Columns]
    """One test per group or contrast."""
    omnibus: Callable[..., Columns] | None
    """One test over all groups or contrasts; None where there is no such test."""
    omnibus_title: str = ""
    on_means: bool = True
    """Whether ``lfc=``, a threshold on a difference of means in log2, makes sense."""
    paired: bool = False
    fewest: int = 1
    """Observations that each side of a test must have for a p-value."""
    on_ranks: bool = False
    """Whether ranks of two groups are compared: exact when small, and ``block=`` are strata."""
    stratified_title: str = ""
    stratified_citation: str = ""


METHODS = {
    method.name: method
    for method in (
        Method(
            "t-test",
            "Welch's t-test",
            "Welch (1947), Biometrika 34:28-35",
            model=False,
            each=_two_sample.t_test,
            omnibus=_two_sample.analysis_of_variance,
            omnibus_title="Welch's analysis of variance",
            fewest=2,
        ),
        Method(
            "t-test-student",
            "Student's t-test",
            "Student (1908), Biometrika 6:1-25",
            model=False,
            each=partial(_two_sample.t_test, equal_var=True),
            omnibus=partial(_two_sample.analysis_of_variance, equal_var=True),
            omnibus_title="analysis of variance",
        ),
        Method(
            "t-test-paired",
            "paired t-test",
            "Student (1908), Biometrika 6:1-25",
            model=False,
            each=_two_sample.paired,
            omnibus=None,
            paired=True,
        ),
        Method(
            "wilcoxon",
            "Wilcoxon rank-sum test",
            "Mann & Whitney (1947), Annals of Mathematical Statistics 18:50-60",
            model=False,
            each=_two_sample.wilcoxon,
            omnibus=_two_sample.kruskal,
            omnibus_title="Kruskal-Wallis test",
            on_means=False,
            on_ranks=True,
            stratified_title="van Elteren's stratified Wilcoxon rank-sum test",
            stratified_citation=(
                "van Elteren (1960), Bulletin of the International Statistical Institute 37:351-361"
            ),
        ),
        Method(
            "ols",
            "ordinary least squares",
            "Fisher (1922), Journal of the Royal Statistical Society 85:597-612",
            model=True,
            each=_linear.ols,
            omnibus=_linear.ols_any,
            omnibus_title="F test",
        ),
    )
}
