"""What to do about few genes, or about small changes: only what the method can do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dex.design.wording import in_formula
from dex.pp._filter import FILTER_KEY
from dex.stats.exact_ranks import smallest_exact_pval, use_exact
from dex.tl.methods import METHODS

if TYPE_CHECKING:
    from dex.report._ranking import Counted, Ranking

_MOST_AT_ONCE = 0.1
"""Share of all genes; that many do not get the smallest p-value there is."""


@dataclass(frozen=True, slots=True)
class Means:
    """What the method of a result takes, and what was done before it."""

    method: str = ""
    takes_lfc: bool = True
    takes_design: bool = True
    normalised: bool = True
    """Whether dex has normalised the values."""
    filtered: bool = False
    """Whether genes with low counts were left out."""
    formula: str = ""
    """The design, or the column compared."""

    @classmethod
    def of_ranking(cls, ranking: Ranking) -> Means:
        """Read them from the record of a result."""
        params = ranking.params
        name = str(params.get("method"))
        method = METHODS.get(name)
        design = params.get("design")
        asked = design if isinstance(design, str) else in_formula(str(params.get("groupby") or ""))
        return cls(
            method=name,
            takes_lfc=method is None or method.on_means,
            takes_design=method is None or method.model,
            normalised=bool(params.get("size_factors")),
            filtered=FILTER_KEY in ranking.adata.uns or ranking.is_pseudobulk,
            formula=asked.strip().removeprefix("~").strip(),
        )


def design_with(column: str, means: Means) -> str:
    """Say how a column comes into the design.

    >>> design_with("run", Means(formula="drug"))
    "design='~ run + drug' takes"
    >>> design_with("run", Means(takes_design=False, formula="drug"))
    "a model, method='ols' with design='~ run + drug', takes"
    """
    design = f"design='~ {in_formula(column)} + {means.formula or '...'}'"
    return (
        f"{design} takes" if means.takes_design else f"a model, method='ols' with {design}, takes"
    )


def threshold(means: Means, unit: str) -> str:
    """Say how to test against a threshold.

    >>> threshold(Means(takes_lfc=False), "cells")
    "lfc=1 in dex.tl.rank_genes, which method='t-test' takes"
    """
    if means.takes_lfc:
        return "lfc=1 in dex.tl.rank_genes"
    other = "t-test" if unit == "cells" else "ols"
    return f"lfc=1 in dex.tl.rank_genes, which method={other!r} takes"


def floor_of_ranks(counts: Counted, means: Means, padj: float) -> str:
    """Say that the exact Wilcoxon test of few samples cannot find anything; else nothing."""
    m, n = counts.n_group, counts.n_reference
    if means.method != "wilcoxon" or not counts.group or not use_exact(m, n):
        return ""
    least = smallest_exact_pval(m, n)
    if least / padj <= _MOST_AT_ONCE:
        return ""
    return (
        f"Out of reach: the exact Wilcoxon test of {m} vs {n} cannot give a p-value below "
        f"{least:.2g} (2 / choose({m + n}, {m})), whichever gene, so that none of thousands stays "
        f"below {padj:g} after adjustment, and no filter helps. Take more samples, or method='ols'."
    )
