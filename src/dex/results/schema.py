"""Every column of a result, spelled once: its name, meaning, unit, and what others call it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


@dataclass(frozen=True, slots=True)
class Column:
    """A statistic per gene and test, stored as ``varm[f"{key}_{name}"]``."""

    name: str
    meaning: str
    unit: str = ""
    scanpy: str = ""
    """Field of scanpy's ``rank_genes_groups``."""
    r: str = ""
    """Name in DESeq2, or in edgeR and limma where DESeq2 has none."""


COLUMNS = {
    column.name: column
    for column in (
        Column(
            "log2fc",
            "Effect: group against reference.",
            "log2",
            scanpy="logfoldchanges",
            r="log2FoldChange",
        ),
        Column("log2fc_se", "Standard error of log2fc.", "log2", r="lfcSE"),
        Column("mean_diff", "Difference of means of the values tested (of logs: in log2).", "log2"),
        Column("mean_diff_se", "Standard error of mean_diff, which over it is stat.", "log2"),
        Column("stat", "Test statistic: t, z, F or chi-square.", scanpy="scores", r="stat"),
        Column("df", "Degrees of freedom of stat (of the denominator, for F)."),
        Column("pval", "Two-sided p-value.", scanpy="pvals", r="pvalue"),
        Column("padj", "p-value adjusted for the number of genes.", scanpy="pvals_adj", r="padj"),
        Column("log10_pval", "log10 of pval, right also where pval underflows to 0.", "log10"),
        Column("log10_padj", "log10 of padj, right also where padj underflows to 0.", "log10"),
        Column("base_mean", "Mean expression of all observations used.", "linear", r="baseMean"),
        Column("mean_group", "Mean expression in the group.", "linear"),
        Column("mean_reference", "Mean expression in the reference.", "linear"),
        Column("auc", "P(group > reference) + P(tie) / 2: the Mann-Whitney effect size."),
        Column("pct_group", "Fraction of the group's observations that express the gene."),
        Column("pct_reference", "Fraction of the reference's observations that express the gene."),
        Column("status", "Why there is no p-value or padj: a code of Status."),
    )
}


class Status(IntEnum):
    """Why a gene has no p-value or padj in a test.

    Append-only: the numbers are in people's files.
    """

    TESTED = 0
    FILTERED = 1
    ALL_ZERO = 2
    NOT_ESTIMABLE = 3
    NO_REPLICATES = 4
    CONSTANT = 5
    NO_CONVERGENCE = 6
    SINGULAR = 7
    OUTLIER = 8
    LOW_COUNT = 9


LARGE_RESULT = 100_000_000
"""Entries per column above which only SHORT_COLUMNS are stored by default."""

SHORT_COLUMNS = ("log2fc", "stat", "log10_pval", "log10_padj")
EFFECTS = "effects"
"""``varm[f"{key}_effects"]``: the estimates behind an omnibus test, named in ``uns[key]``."""
SIZE_FACTORS = "size_factors"
"""``obs[f"{key}_size_factors"]``: what the counts of an observation were divided by."""
FORMAT_VERSION = 2
"""2: ``params["size_factors"]`` says how counts were normalised; before, by library size."""
