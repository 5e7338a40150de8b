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


def _over_pairs(effect: str, words: str) -> tuple[Column, ...]:
    """Summaries of an effect size over the comparisons of a group with each other group."""
    summaries = {
        "min": f"Smallest {words} over pairs: against the group most like it.",
        "mean": f"Mean {words} over the comparisons with each other group.",
        "median": f"Median {words} over the comparisons with each other group.",
        "max": f"Largest {words} over pairs: against the group least like it.",
        "min_rank": f"Best rank of the gene by {words} in any pair; 1 is the top of one.",
    }
    return tuple(Column(f"{effect}_{name}", text) for name, text in summaries.items())


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
        Column(
            "mean_diff_low", "Lower end of mean_diff's 95% confidence interval.", "log2", r="CI.L"
        ),
        Column("mean_diff_high", "Upper end of it.", "log2", r="CI.R"),
        Column("stat", "Test statistic: t, z, F or chi-square.", scanpy="scores", r="stat"),
        Column("df", "Degrees of freedom of stat (of the denominator, for F)."),
        Column(
            "pval",
            "p-value; two-sided unless another alternative was asked for.",
            scanpy="pvals",
            r="pvalue",
        ),
        Column("padj", "p-value adjusted for the number of genes.", scanpy="pvals_adj", r="padj"),
        Column("log10_pval", "log10 of pval, right also where pval underflows to 0.", "log10"),
        Column("log10_padj", "log10 of padj, right also where padj underflows to 0.", "log10"),
        Column("padj_global", "pval adjusted over all strata (per=) of the contrast together."),
        Column("log10_padj_global", "log10 of padj_global, right also where that is 0.", "log10"),
        Column("base_mean", "Mean expression of all observations used.", "linear", r="baseMean"),
        Column("mean_group", "Mean expression in the group.", "linear"),
        Column("mean_reference", "Mean expression in the reference.", "linear"),
        Column("auc", "P(group > reference) + P(tie) / 2: the Mann-Whitney effect size."),
        *_over_pairs("auc", "AUC"),
        Column("cohens_d", "Difference of means over the pooled standard deviation."),
        *_over_pairs("cohens_d", "Cohen's d (of the mean variance)"),
        Column("pct_group", "Fraction of the group's observations that express the gene."),
        Column("pct_reference", "Fraction of the reference's observations that express the gene."),
        *_over_pairs("pct_diff", "difference of the fractions that express the gene"),
        Column("log2fc_min", "Smallest log2fc of any block.", "log2"),
        Column("log2fc_max", "Largest log2fc of any block.", "log2"),
        Column("n_blocks", "Blocks in which the gene was tested."),
        Column("n_agreeing", "Of these, blocks whose statistic has the sign that most have."),
        Column("pval_combined", "Two-sided p-value of all blocks together: of any effect at all."),
        Column("padj_combined", "pval_combined adjusted for the number of genes."),
        Column(
            "log10_pval_combined", "log10 of pval_combined, right also where that is 0.", "log10"
        ),
        Column(
            "log10_padj_combined", "log10 of padj_combined, right also where that is 0.", "log10"
        ),
        Column("log2fc_low", "Lower end of log2fc's confidence interval.", "log2", r="CI.L"),
        Column("log2fc_high", "Upper end of it; 95% unless asked otherwise.", "log2", r="CI.R"),
        Column("log2fc_shrunk", "log2fc shrunk towards zero, the more, the less is known.", "log2"),
        Column("log2fc_shrunk_sd", "Posterior standard deviation of log2fc_shrunk.", "log2"),
        Column("svalue", "Expected share of wrong signs of log2fc_shrunk up to this gene."),
        Column("lods", "Log-odds of differential expression: limma's B-statistic.", "ln", r="B"),
        Column(
            "status",
            "Why there is no p-value or padj, or singular: a code of Status.",
        ),
    )
}


FIT_COLUMNS = {
    "base_mean": "Mean expression of all observations used, on the linear scale.",
    "mean_log2": "Mean of the logs fitted, over the observations that the gene has, in log2.",
    "var": "Residual variance.",
    "df_residual": "Residual degrees of freedom.",
    "df_prior": "Degrees of freedom of the prior that a gene's own estimate is squeezed towards.",
    "abundance": "Average log2 counts per million.",
    "dispersion_gene": "Dispersion of the gene by itself.",
    "dispersion_trend": "Dispersion that the trend expects at the gene's mean.",
    "dispersion_map": "Dispersion shrunken towards the trend.",
    "dispersion": "Dispersion used in the tests.",
    "dispersion_outlier": "Whether it lies so far above the trend that it is not shrunken.",
    "max_cooks": "Largest Cook's distance of a count not replaced, in a group of three or more.",
    "cooks_excused": "Whether three or more counts exceed the one with that distance.",
    "n_replaced": "Counts replaced as outliers before the fit.",
    "deviance": "Residual deviance of the fit.",
    "quasi_dispersion": "Adjusted deviance over its degrees of freedom.",
    "quasi_dispersion_trend": "Prior of the quasi-dispersion, at the gene's abundance.",
    "quasi_dispersion_post": "Quasi-dispersion squeezed towards its prior.",
    "converged": "Whether the coefficients' fit has converged.",
    "voom_root_sd": "Root of the standard deviation of log counts before voom weighs them.",
    "var_prior": "Prior variance, to which the residual variance was squeezed.",
    "var_post": "Posterior variance, in which effects are tested.",
    "df_total": "Degrees of freedom of the posterior variance.",
    "var_block": "Variance of the random intercepts of blocks; 0 in singular fits.",
    "uncertainty_var": "Sampling variance of the log of var.",
    "uncertainty_ratio": "Sampling variance of var_block / var.",
    "uncertainty_both": "Covariance of the two.",
}
"""Columns ``var[f"{key}_{name}"]`` that fits leave behind, and what they mean."""


class Status(IntEnum):
    """Why a gene has no p-value or padj in a test; of ``SINGULAR``, why its df are what they are.

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
MARKER_SCORE = "auc_mean"
"""What genes are ranked by, the largest first, in a result without p-values."""
EFFECTS = "effects"
"""``varm[f"{key}_effects"]``: the estimates behind an omnibus test, named in ``uns[key]``."""
SIZE_FACTORS = "size_factors"
"""``obs[f"{key}_size_factors"]``: what the counts of an observation were divided by."""
SAMPLE_WEIGHTS = "sample_weights"
"""``obs[f"{key}_sample_weights"]``: weights of observations that a model was fitted with."""
DESIGN = "design"
"""``obsm[f"{key}_design"]``: the design matrix that a model was fitted with, for gene sets."""
LARGEST_DESIGN = 10_000_000
"""Entries of a design matrix above which a result does not keep it: cells by thousands."""
OF_SAMPLES = {DESIGN: "sample_design", SAMPLE_WEIGHTS: "sample_weights"}
"""Where ``params`` has these of samples that cells were added up into, in place of cells."""
CORRELATIONS = "correlations"
"""Within blocks, ``(n_tests,)``: where strata were fitted apart, each with its own."""
FORMAT_VERSION = 2
"""2: ``params["size_factors"]`` says how counts were normalised; before, by library size."""
FIT_FORMAT_VERSION = 1
"""Of a fit's entry in ``uns``."""
