# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 4. Why is my padj NaN?
#
# DESeq2 leaves genes without an adjusted p-value, or without any. It does so for three reasons,
# and each of them is on purpose. In `dex` every gene of every test has a `status` that names the
# reason.
#
# The data here are simulated: two groups of six samples, and some counts that are far too large.

# %%
import matplotlib.pyplot as plt

import dex

# %config InlineBackend.figure_format = "retina"

# %%
adata = dex.datasets.simulate_counts(
    3000, n_per_group=6, mean_count=10, outlier_fraction=0.02, seed=3
)
adata.X[:, :20] = 0  # genes that nobody expresses
dex.tl.rank_genes(adata, "condition", method="deseq2")
table = dex.get.rank_genes_df(adata)
table["status"].astype(str).value_counts()

# %% [markdown]
# ## all_zero: there is nothing to test
#
# A gene without a single count has no fold change, and no p-value.

# %%
table[table["status"] == "all_zero"].head(3)

# %% [markdown]
# ## outlier: one count decides, and it cannot be believed
#
# Cook's distance says how far the fold change would move without one count. Where it is beyond the
# 99% quantile of F for a count that has two or more replicates beside it, the p-value would be
# about this one sample. So there is none: **pval and padj are both NaN**. Look at such a gene:

# %%
outliers = table[table["status"] == "outlier"]
suspect = outliers.sort_values("base_mean", ascending=False)["gene"].iloc[0]
dex.pl.expression(adata, suspect)
plt.show()

# %%
fit = dex.get.fit_df(adata).set_index("gene")
fit.loc[suspect, ["max_cooks", "dispersion_gene", "dispersion_trend", "dispersion"]]

# %% [markdown]
# Is the sample at fault, or is this biology? If you believe the count, keep it with `cooks=False`:

# %%
dex.tl.rank_genes(adata, "condition", method="deseq2", cooks=False, key_added="believed")
dex.get.rank_genes_df(adata, key="believed").set_index("gene").loc[suspect, ["log2fc", "pval"]]

# %% [markdown]
# With **seven or more replicates** in a group, an outlier is not the end of a gene: the count is
# replaced by the trimmed mean of all samples, and the gene is fitted again. `n_replaced` counts
# these.

# %%
larger = dex.datasets.simulate_counts(
    3000, n_per_group=8, mean_count=10, outlier_fraction=0.02, seed=3
)
dex.tl.rank_genes(larger, "condition", method="deseq2")
replaced = int((dex.get.fit_df(larger)["n_replaced"] > 0).sum())
left = int((dex.get.rank_genes_df(larger)["status"] == "outlier").sum())
print(f"{replaced} genes were fitted again, {left} are left without a p-value")

# %% [markdown]
# ## low_count: there is a p-value, but no padj
#
# A gene with a handful of reads will not be significant, whatever it does. Testing it all the same
# costs all others: each p-value is adjusted for the number of tests. So DESeq2 leaves out the
# genes with the lowest means, and chooses the cutoff that gives most discoveries at `alpha` (0.1
# unless you say otherwise). As the mean says nothing of a p-value under the null, this is fair.
# Here is the cutoff, and how the genes with a p-value but without padj lie below it:

# %%
cutoff = float(adata.uns["rank_genes"]["params"]["filter_cutoff"][0])
low = table[table["status"] == "low_count"]
print(f"{len(low)} genes with a mean below {cutoff:.1f}")

# %%
tested = table[table["pval"].notna() & (table["pval"] > 0)]
figure, axes = plt.subplots(figsize=(5, 3.2))
for name, colour in (("tested", "#4c72b0"), ("low_count", "#bbbbbb")):
    some = tested[tested["status"] == name]
    axes.scatter(some["base_mean"], -some["log10_pval"], s=4, c=colour, label=name)
axes.axvline(cutoff, color="black", linewidth=0.8)
axes.set(xscale="log", xlabel="mean of normalised counts", ylabel="-log10 p")
axes.legend(frameon=False)
plt.show()

# %% [markdown]
# Dispersions are shown by `dex.pl.dispersion`: rings are genes so far above the trend that they
# were left where they are.

# %%
dex.pl.dispersion(adata)
plt.show()

# %% [markdown]
# Set `alpha` to the level that you will use: the filter is chosen for it. Or leave the filter out:

# %%
dex.tl.rank_genes(adata, "condition", method="deseq2", alpha=0.05, key_added="at_05")
dex.tl.rank_genes(
    adata, "condition", method="deseq2", independent_filtering=False, key_added="unfiltered"
)
for key in ("rank_genes", "at_05", "unfiltered"):
    padj = dex.get.rank_genes_df(adata, key=key)["padj"]
    print(f"{key:11s} {int(padj.isna().sum()):4d} NaN {int((padj < 0.05).sum()):4d} below 0.05")

# %% [markdown]
# ## What to write
#
# A missing padj is no p-value of 1, and no missing data either. Say how many genes were tested,
# and by which rules others were left out. `status` has it all; the report (`dex.report.write`)
# tells it.
