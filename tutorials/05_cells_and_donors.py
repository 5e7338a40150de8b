# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#       jupytext_version: 1.19.6
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 5. Cells and donors
#
# A drug is given to some people and not to others, and thousands of cells of each are sequenced.
# Which genes does the drug change? The cells of one person resemble each other. They say a lot
# about that person, and little about the next one: **the donors are the replicates**, not the
# cells. Tests that take every cell for a replicate find hundreds of genes where there is nothing.
#
# This tutorial shows that, and what to do: add the cells of each donor up into samples, cell type
# by cell type, and test the samples as one tests bulk RNA-seq. In `dex` that is `replicate=` and
# `per=`. The data are simulated, so that the truth is known.

# %%
import anndata as ad
import matplotlib.pyplot as plt
import pandas as pd

import dex

# %config InlineBackend.figure_format = "retina"

# %% [markdown]
# ## Nothing changes, and yet
#
# Three donors get the drug and three do not; 150 cells of each are sequenced. **No gene responds
# to the drug**, but people differ.

# %%
null = dex.datasets.simulate_counts(
    1500, n_per_group=3, cells_per_replicate=150, de_fraction=0, mean_count=0.3, seed=4
)
null.obs = null.obs.rename(columns={"replicate": "donor"})
null.obs.groupby("donor", observed=True)["condition"].agg(["first", "size"])

# %% [markdown]
# A rank test of the cells warns, and it is right to:

# %%
dex.tl.rank_genes(null, "condition", method="wilcoxon", key_added="cells")

# %% [markdown]
# Without a method, `dex` finds the column `donor`, adds the counts of each donor up and tests six
# samples. It says so. `replicate="donor"` asks for it by name; `replicate=None` insists on cells.

# %%
dex.tl.rank_genes(null, "condition", key_added="donors")

# %%
pd.DataFrame(
    {
        key: {
            "genes at padj <= 0.05": len(dex.get.rank_genes_df(null, key=key, padj=0.05)),
            "p <= 0.05": f"{(dex.get.rank_genes_df(null, key=key)['pval'] <= 0.05).mean():.0%}",
        }
        for key in ("cells", "donors")
    }
)

# %% [markdown]
# Every one of the genes that the cells "find" is false. The p-values show it: where nothing
# changes, their histogram should be level.

# %%
figure, axes = plt.subplots(1, 2, figsize=(7, 3), layout="constrained")
dex.pl.pvalues(null, key="cells", ax=axes[0], title="450 cells against 450")
dex.pl.pvalues(null, key="donors", ax=axes[1], title="3 donors against 3")
plt.show()

# %% [markdown]
# `block="donor"` of the rank test is no way out. It compares cells within donors, which needs
# donors on both sides; and there it takes differences between donors out, but not that a donor
# responds to the drug in a way of its own. The cells of a donor stay dependent, and the test warns.
#
# ## An experiment
#
# Now six donors whose cells are split: one half is treated, the other is not. There are B cells, T
# cells, and four dendritic cells in each sample. A tenth of the genes respond, others in each type.


# %%
def simulate(cell_type: str, n_cells: int, seed: int) -> ad.AnnData:
    """Cells of one type, of six donors in both conditions."""
    cells = dex.datasets.simulate_counts(
        1500,
        n_per_group=6,
        cells_per_replicate=n_cells,
        paired=True,
        mean_count=0.3,
        replicate_sd=0.7,
        seed=seed,
    )
    cells.obs["cell_type"] = cell_type
    return cells


types = [simulate("T cells", 60, 1), simulate("B cells", 60, 2), simulate("dendritic", 4, 3)]
cells = ad.concat(types, index_unique="-")
cells.obs = cells.obs.rename(columns={"replicate": "donor"}).drop(columns="true_size_factor")
pd.crosstab(cells.obs["cell_type"], [cells.obs["condition"], cells.obs["donor"]])

# %% [markdown]
# One call: the cells of each donor, condition and cell type are added up; genes with too few counts
# are left out, cell type by cell type; each type has its own size factors, dispersions and tests.

# %%
dex.tl.rank_genes(cells, "condition", replicate="donor", per="cell_type")

# %% [markdown]
# Two of these lines matter. The dendritic cells are too few: a sample of four cells is mostly
# noise, and samples of fewer than ten (`min_cells=`) are left out. That stops nothing; their genes
# have the status `no_replicates`. And **every donor is on both sides**: a design with the donor
# compares each with itself, so that differences between people no longer hide those of the drug.

# %%
dex.tl.rank_genes(
    cells,
    "condition",
    design="~ donor + condition",
    replicate="donor",
    per="cell_type",
    key_added="paired",
)
pd.DataFrame(
    {
        key: dex.get.rank_genes_df(cells, key=key, padj=0.05).groupby("per").size()
        for key in ("rank_genes", "paired")
    }
)

# %% [markdown]
# ## Reading the result
#
# All cell types are under one key. Tests are named `"B cells: treated vs control"`, and `per=`
# picks those of one type, everywhere.

# %%
dex.get.tests_df(cells, key="paired")

# %%
table = dex.get.rank_genes_df(cells, key="paired", per="B cells")
table[["gene", "per", "log2fc", "pval", "padj", "padj_global"]].head()

# %% [markdown]
# `padj` is adjusted over the genes of one cell type: of those with `padj <= 0.05` in the B cells
# about 5% are false. `padj_global` is adjusted over all cell types: of all genes called in any of
# them, 5% are. Use the first to speak of one cell type, the second to list all findings of an
# experiment. How good was it? The simulation knows which genes change.

# %%
truth = pd.concat(
    {one.obs["cell_type"].iloc[0]: one.var["is_de"] for one in types}, names=["per", "gene"]
)
called = dex.get.rank_genes_df(cells, key="paired").query("padj_global <= 0.05")
right = truth.reindex(pd.MultiIndex.from_frame(called[["per", "gene"]])).to_numpy()
print(f"{len(right)} genes called, {int((~right).sum())} of them false")

# %% [markdown]
# ## Pictures

# %%
dex.pl.volcano(cells, key="paired", per=["B cells", "T cells"], n_labels=5)
plt.show()

# %% [markdown]
# The cell types side by side: tiles of fold changes, or one against the other.

# %%
dex.pl.compare(cells, key="paired", per=["B cells", "T cells"], kind="scatter")
plt.show()

# %% [markdown]
# A point is a sample, not a cell, and lines join the samples of a donor: what was tested.

# %%
dex.pl.expression(cells, table["gene"].head(2).tolist(), key="paired", per="B cells")
plt.show()

# %%
dex.pl.heatmap(cells, key="paired", n_genes=8)
plt.show()

# %% [markdown]
# ## The samples themselves
#
# `dex.pp.pseudobulk` gives them as an AnnData: to look for outliers, for other designs, for other
# tools. Columns of `obs` that are the same for all cells of a sample come along; others are named.

# %%
samples = dex.pp.pseudobulk(cells, "donor", groupby="condition", per="cell_type")
samples.obs.head(3)

# %%
dex.tl.pca(samples)
dex.pl.pca(samples, "cell_type", shape="condition", labels=None)
plt.show()

# %% [markdown]
# On the command line it is
#
# ```
# dex rank-genes cells.h5ad --groupby condition --design "~ donor + condition" \
#     --replicate donor --per cell_type -o ranked.h5ad --table ranked.csv
# dex report ranked.h5ad -o report.html
# ```
#
# Clusters and cell types are another matter. To ask which genes mark a type, its cells are compared
# with others of the same donors; see the [quick start](01_quickstart.ipynb).
