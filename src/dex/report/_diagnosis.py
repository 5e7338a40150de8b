"""Why are there few, or too many, genes? Rules, each a sentence with the number behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from dex.design.replicates import looks_like_clusters
from dex.design.wording import plural
from dex.get import pvalue_shape
from dex.report._advice import Means, design_with, floor_of_ranks, threshold
from dex.report._html import Html, element, join
from dex.report._shared import shared
from dex.report._suspects import Batch, Outlier, find_batches, find_outliers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dex.get import PvalueShape
    from dex.report._overview import Overview
    from dex.report._ranking import Counted, Ranking

Level = Literal["warning", "info", "ok"]

_FEW_GENES = 10
_MANY_GENES = 0.3  # of those tested
_FEW_REPLICATES = 3
_FEW_DF = 3
_MOST_LEFT_OUT = 0.7
_LARGEST_SHIFT = 0.2  # in log2
_FEW_TESTS = 3
_FEWEST_TO_JUDGE = 100  # genes, for a median or a share to mean something


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that the numbers say."""

    level: Level
    sentence: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """The numbers of one test that the rules look at."""

    counts: Counted
    unit: str
    padj: float
    n_genes: int
    """All genes of the table, also those without a p-value."""
    df: float
    """Residual degrees of freedom; NaN where the test has none."""
    smallest_pval: float
    """log10; NaN without p-values."""
    median_log2fc: float
    """Of the genes tested."""
    median_significant: float
    """Size of log2fc in the middle of the significant genes."""
    shape: PvalueShape
    clusters: bool
    """Whether groups were made from the same data."""
    lfc: float
    means: Means

    @classmethod
    def of_test(cls, ranking: Ranking, test: Counted) -> Evidence:
        """Read them from the table."""
        log10_pval, log2fc = (ranking.column(name, test) for name in ("log10_pval", "log2fc"))
        tested = ~np.isnan(log10_pval)
        significant = ranking.column("log10_padj", test) <= np.log10(max(ranking.padj, 1e-300))
        return cls(
            counts=test,
            unit=ranking.unit,
            padj=ranking.padj,
            n_genes=ranking.adata.n_vars,
            df=test.df,
            smallest_pval=float(np.min(log10_pval[tested], initial=0)) if tested.any() else np.nan,
            median_log2fc=_median(log2fc[tested]),
            median_significant=_median(np.abs(log2fc[significant])),
            shape=pvalue_shape(ranking.adata, test.position, key=ranking.key),
            clusters=looks_like_clusters(str(ranking.params.get("groupby") or "")),
            lfc=float(ranking.params.get("lfc", 0) or 0),
            means=Means.of_ranking(ranking),
        )


def diagnose(evidence: Evidence) -> list[Finding]:
    """Return what the rules find, the verdict first, warnings before the rest."""
    rules = (
        _no_replicates,
        _few_replicates,
        _cells_as_replicates,
        _left_out,
        _out_of_reach,
        _shape,
        _shift,
        _many_small,
    )
    found = [finding for rule in rules if (finding := rule(evidence)) is not None]
    order = {"warning": 0, "info": 1, "ok": 2}
    return [_verdict(evidence), *sorted(found, key=lambda one: order[one.level])]


def diagnosis_html(rankings: Sequence[Ranking], overviews: Sequence[Overview]) -> Html:
    """Return what is found of the observations of all results, then what is found of each."""
    pairs = zip(rankings, overviews, strict=True)
    observed = shared([_of_observations(ranking, overview) for ranking, overview in pairs])
    parts = [_listed(observed.common)]
    for ranking, own in zip(rankings, observed.rest, strict=True):
        if len(rankings) > 1:
            parts.append(element("h3", element("code", ranking.key)))
        parts.append(_of_result(ranking, own))
    return join(parts)


def _of_result(ranking: Ranking, observed: Sequence[Finding]) -> Html:
    """Return what holds for all tests of a result once, then the tests."""
    verdicts, found = [], []
    for test in ranking.tests:
        verdict, *others = diagnose(Evidence.of_test(ranking, test))
        verdicts.append(verdict)
        found.append(others)
    said = shared(found)
    alone = len(ranking.tests) == 1
    few = len(ranking.tests) <= _FEW_TESTS
    parts = [_listed((*observed, *(() if alone else said.common)))]
    for test, verdict, own in zip(
        ranking.tests, verdicts, found if alone else said.rest, strict=True
    ):
        parts.append(_of_test(test, verdict, own, few=few))
    return join(parts)


def _of_test(test: Counted, verdict: Finding, others: Sequence[Finding], *, few: bool) -> Html:
    """Open where there are few tests or a warning; the verdict shows in any case."""
    warned = any(one.level == "warning" for one in (verdict, *others))
    said = element("span", verdict.sentence, class_="small")
    head = (element("b", test.name), ". ", said)
    if not others:
        return element("p", *head)
    summary = element("summary", *head)
    return element("details", summary, _listed(others), class_="verdict", open=few or warned)


def _listed(findings: Sequence[Finding]) -> Html:
    items = (element("li", one.sentence, class_=f"finding {one.level}") for one in findings)
    return element("ul", *items, class_="findings") if findings else Html("")


def _of_observations(ranking: Ranking, overview: Overview) -> list[Finding]:
    batches: dict[str, list[Batch]] = {}
    for batch in find_batches(ranking, overview):
        batches.setdefault(batch.column, []).append(batch)
    means = Means.of_ranking(ranking)
    outliers = find_outliers(overview)
    found = [_batch_finding(parts, means) for parts in batches.values()]
    return [*found, *map(_outlier_finding, outliers)]


def _batch_finding(parts: Sequence[Batch], means: Means) -> Finding:
    """One column, and every component that it goes with."""
    column = parts[0].column
    shares = " and ".join(
        f"{one.r2:.0%} of what the design leaves of PC{one.component} ({one.variance:.0%} of all "
        "variance)"
        for one in parts
    )
    return Finding(
        "warning",
        f"{column!r} is not in the design and makes {shares}: if it is a batch, "
        f"{design_with(column, means)} that variation out of the residuals.",
    )


def _outlier_finding(outlier: Outlier) -> Finding:
    return Finding(
        "warning",
        f"{outlier.name!r} makes {outlier.share:.0%} of PC{outlier.component} "
        f"({outlier.variance:.0%} of the variance) by itself: look whether it is swapped or "
        "failed; without it the variances may be smaller and more genes significant.",
    )


def _verdict(evidence: Evidence) -> Finding:
    counts = evidence.counts
    if not counts.n_tested:
        return Finding("warning", "No gene has a p-value.")
    share = counts.n_significant / counts.n_tested
    words = f"{counts.n_significant:,} of {counts.n_tested:,} genes tested ({share:.1%})"
    limit = f"have an adjusted p-value of at most {evidence.padj:g}"
    if counts.n_significant < _FEW_GENES:
        return Finding("info", f"Few genes: {words} {limit}.")
    if share > _MANY_GENES:
        return Finding("info", f"Many genes: {words} {limit}.")
    return Finding("ok", f"{words} {limit}.")


def _no_replicates(evidence: Evidence) -> Finding | None:
    n = evidence.counts.statuses.get("no_replicates", 0)
    if not n and evidence.df != 0:
        return None
    return Finding(
        "warning",
        f"No replicates: {evidence.counts.sides} {evidence.unit} leave no residual degrees of "
        "freedom, so that there are fold changes and no p-values; more samples, or a smaller "
        "design, are needed.",
    )


def _few_replicates(evidence: Evidence) -> Finding | None:
    counts = evidence.counts
    if evidence.unit != "samples" or "no_replicates" in counts.statuses:
        return None
    smaller = min(counts.n_group, counts.n_reference) if counts.group else counts.n_group
    if 1 <= smaller < _FEW_REPLICATES:
        return Finding(
            "warning",
            f"Few replicates: {counts.sides} samples. Variances estimated from so few are "
            "uncertain, and only large changes are found; 3 or more on each side are advised, 6 "
            "or more to find most of the genes that change twofold.",
        )
    if 0 < evidence.df <= _FEW_DF:
        return Finding(
            "warning",
            f"Only {evidence.df:g} residual degrees of freedom are left: the design has nearly as "
            "many coefficients as there are samples, and only large changes are found.",
        )
    return None


def _cells_as_replicates(evidence: Evidence) -> Finding | None:
    if evidence.unit != "cells":
        return None
    if evidence.clusters:
        return Finding("info", evidence.shape.sentence)
    return Finding(
        "warning",
        "Pseudoreplication: cells count as independent replicates, though cells of one donor are "
        "alike: p-values are far too small for a claim about donors; replicate= adds up the cells "
        "of each.",
    )


def _left_out(evidence: Evidence) -> Finding | None:
    statuses = evidence.counts.statuses
    left_out = sum(statuses.get(name, 0) for name in ("filtered", "all_zero", "low_count"))
    share = left_out / evidence.n_genes
    if share < _MOST_LEFT_OUT:
        return None
    return Finding(
        "info",
        f"{left_out:,} of {evidence.n_genes:,} genes ({share:.0%}) were filtered or zero and have "
        "no p-value. That is usual for a whole annotation; else look whether the filter is too "
        "strict.",
    )


def _out_of_reach(evidence: Evidence) -> Finding | None:
    """Say so where even the smallest p-value does not survive the number of tests."""
    counts = evidence.counts
    if counts.n_significant or not counts.n_tested:
        return None
    floor = floor_of_ranks(counts, evidence.means, evidence.padj)
    if floor:
        return Finding("warning", floor)
    best = 10**evidence.smallest_pval
    needed = evidence.padj / counts.n_tested
    fewer = "Leaving out genes with low counts (dex.pp.filter_genes) makes fewer tests; more "
    advice = "More " if evidence.means.filtered else fewer
    return Finding(
        "info",
        f"The smallest p-value is {best:.2g}; alone among {plural(counts.n_tested, 'gene')} it "
        f"would have to be {needed:.1g}. {advice}replicates make smaller p-values.",
    )


def _shape(evidence: Evidence) -> Finding | None:
    if evidence.shape.shape == "few" or evidence.unit == "cells":
        return None
    numbers = f"pi0 {evidence.shape.pi0:.2f}, inflation {evidence.shape.inflation:.2f}"
    expected = evidence.shape.shape in {"peak at 0", "uniform"} or evidence.lfc > 0
    level: Level = "ok" if expected else "warning"
    return Finding(level, f"p-values ({numbers}): {evidence.shape.sentence}")


def _shift(evidence: Evidence) -> Finding | None:
    if evidence.unit == "cells" or evidence.counts.n_tested < _FEWEST_TO_JUDGE:
        return None
    if not abs(evidence.median_log2fc) > _LARGEST_SHIFT:
        return None
    ours = "size_factors= names other methods, and spike-ins tell"
    advice = ours if evidence.means.normalised else "the values were normalised before dex got them"
    return Finding(
        "warning",
        f"Composition: the median gene has a log2fc of {evidence.median_log2fc:+.2f}. If most "
        f"genes should not change, normalisation has left this shift in all of them; {advice}.",
    )


def _many_small(evidence: Evidence) -> Finding | None:
    counts = evidence.counts
    if counts.n_tested < _FEWEST_TO_JUDGE or not counts.has_effects or evidence.lfc > 0:
        return None
    if counts.n_significant <= _MANY_GENES * counts.n_tested:
        return None
    return Finding(
        "info",
        f"Half of the significant genes change by less than {evidence.median_significant:.2f} in "
        "log2. To find those that change by more than matters, test against a threshold: "
        f"{threshold(evidence.means, evidence.unit)}; a cut of log2fc afterwards does not keep the "
        "error rate.",
    )


def _median(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
    known = values[~np.isnan(values)]
    return float(np.median(known)) if len(known) else float("nan")
