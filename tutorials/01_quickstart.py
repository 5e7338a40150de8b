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
# # 1. Quickstart: from a count table to the figures
#
# You have a table of counts and a list of your samples. In five minutes you have a PCA, a volcano
# plot, a heatmap, a table for Excel, and a report for your colleagues. After that, the same is done
# with single cells.
#
# Everything runs offline. The files go to a temporary folder, which the last cell removes.

# %%
import tempfile
from pathlib import Path

import scanpy as sc

import dex

# %config InlineBackend.figure_format = "retina"

# %% [markdown]
# ## Two files
#
# This cell only makes an example: six control and six treated samples in two batches, 3000 genes.
# **With your own data, skip it**, and put your paths into the next one.

# %%
temporary = tempfile.TemporaryDirectory()
folder = Path(temporary.name)

simulated = dex.datasets.simulate_counts(
    n_genes=3000, n_per_group=6, n_batches=2, log2fc_sd=1.5, seed=7
)
simulated.to_df().T.astype(int).to_csv(folder / "counts.csv", index_label="gene")
simulated.obs[["condition", "batch"]].to_csv(folder / "samples.csv", index_label="sample")

for name in ("counts.csv", "samples.csv"):
    print(name, *(folder / name).read_text().splitlines()[:3], sep="\n    ")

# %% [markdown]
# The table of counts has a row for each gene and a column for each sample. The sample sheet has a
# row for each sample. Samples are matched **by name**, so their order does not matter. Give the raw
# counts, as featureCounts, HTSeq, STAR or salmon (rounded or not) put them out. No TPM, no logs.

# %%
adata = dex.io.read_counts(folder / "counts.csv", samples=folder / "samples.csv")
print(adata)

# %% [markdown]
# This is an AnnData, the same object that scanpy uses: samples in rows (`obs`), genes in columns
# (`var`). Look at the sheet once more. Most wrong results begin here.

# %%
adata.obs.head()

# %% [markdown]
# ## Leave out what cannot be tested
#
# A gene with a handful of counts can show nothing. This is edgeR's rule: about ten counts, in about
# as many samples as the smallest group has. It does not look at who is treated, so it does not bias
# the test.

# %%
dex.pp.filter_genes(adata, groupby="condition")

# %% [markdown]
# ## Look at the samples first
#
# Each point is a sample. Samples of one condition should lie together. A sample that lies far from
# its group may be swapped or bad. Here a shape stands for a batch: the batch is visible, so it
# belongs into the design below.

# %%
dex.tl.pca(adata)
_ = dex.pl.pca(adata, "condition", shape="batch")

# %% [markdown]
# ## Rank the genes
#
# One line. The design says what the counts depend on: the batch, and the condition. The contrast
# says what is asked: treated against control. The lines below the cell say what was decided. In
# particular the counts are normalised on the way, by TMM. `adata.X` keeps the raw counts.

# %%
dex.tl.rank_genes(
    adata, design="~ batch + condition", contrasts=("condition", "treated", "control")
)

# %% [markdown]
# The best genes first. `log2fc` is positive where the gene is higher in *treated*; 1 is two-fold.
# `padj` is the p-value adjusted for testing thousands of genes: of all rows with `padj` up to 0.05,
# about 5 % are expected to be false.

# %%
table = dex.get.rank_genes_df(adata)
table[["gene", "log2fc", "stat", "pval", "padj", "mean_group", "mean_reference"]].head(8)

# %%
significant = dex.get.rank_genes_df(adata, padj=0.05)
print(len(significant), "genes with padj <= 0.05")

# %% [markdown]
# This data is simulated, so we can look up the truth. With your data nobody can. It is the reason
# why a list at 5 % is a list of good candidates, and no list of facts.

# %%
truly_changed = simulated.var.loc[significant["gene"], "is_de"]
print(truly_changed.sum(), "of them are truly changed,", (~truly_changed).sum(), "are not.")

# %% [markdown]
# ## Pictures
#
# **Volcano**: effect to the sides, evidence upwards. Coloured genes are significant. The axis says
# in words which side is which.

# %%
_ = dex.pl.volcano(adata)

# %% [markdown]
# **MA**: the same fold changes, against how strongly the gene is expressed. The dashed line should
# lie at zero. If it does not, the normalisation did not fit.

# %%
_ = dex.pl.ma(adata, n_labels=5)

# %% [markdown]
# **Heatmap**: the best genes in rows, samples in columns. Each gene is shown as its difference from
# its own mean. Blocks of colour that follow the condition are what you hope for. A single sample
# that breaks the pattern is worth a second look.

# %%
_ = dex.pl.heatmap(adata, n_genes=30)

# %% [markdown]
# **Expression**: the best genes one by one, a point for each sample. Always look at the points of a
# gene before you order its antibody.

# %%
_ = dex.pl.expression(adata)

# %% [markdown]
# Every plot takes `save="figure.pdf"`. The third notebook shows all plots and how to change them.
#
# ## Take it with you
#
# The whole table as CSV, or the significant rows only. With the ending `.xlsx` you get an Excel
# file, in which `MARCH1` stays a gene and does not become a date.

# %%
dex.io.write_results(adata, folder / "results.csv")
dex.io.write_results(adata, folder / "significant.csv", padj=0.05)

# %% [markdown]
# **The report** is one HTML file: samples, figures, tables that sort and filter in the browser,
# what the p-values say about the experiment, and a methods paragraph for your paper. It needs no
# network. Send it by mail.

# %%
dex.report.write(adata, folder / "report.html", title="Treated against control")

# %% [markdown]
# **The AnnData** keeps the counts and the results together. After reading it again, every plot
# works as before.

# %%
dex.io.write_h5ad(adata, folder / "ranked.h5ad")
again = dex.io.read_h5ad(folder / "ranked.h5ad")
print(dex.get.tests_df(again)["name"].item())

for path in sorted(folder.iterdir()):
    print(f"{path.name:18}{path.stat().st_size / 1000:8.0f} kB")

# %% [markdown]
# The same without Python, in a terminal:
#
# ```bash
# dex run counts.csv samples.csv --design "~ batch + condition" \
#     --contrast condition treated control -o results/
# ```
#
# Other experiments (pairs, several groups, interactions, doses) are in the second notebook.
#
# ### And normalisation?
#
# `rank_genes` and all plots normalise on the way, so nothing is needed. If you want the normalised
# values themselves, `dex.pp.normalize` makes a layer and leaves `X` alone.

# %%
dex.pp.normalize(adata)
adata.to_df(layer="logcpm").iloc[:4, :4].round(2)

# %% [markdown]
# ## Single cells: what marks a cell type?
#
# 700 blood cells, which come with scanpy. Each cluster is compared with all other cells. The method
# is chosen by itself: for cells it is the Wilcoxon rank-sum test.

# %%
cells = dex.datasets.pbmc68k()
dex.tl.rank_genes(cells, groupby="bulk_labels")
markers = dex.get.rank_genes_df(cells, direction="up")
markers.groupby("test", sort=False).head(2)[["gene", "test", "log2fc", "auc", "padj"]]

# %% [markdown]
# `auc` is the chance that a cell of the cluster has more of the gene than a cell from the rest: 0.5
# is no difference, 1 is a perfect marker. For markers it says more than the p-value.
#
# The heatmap takes the best genes of each cluster. Small clusters are drawn wider than their share,
# so that they can be seen.

# %%
_ = dex.pl.heatmap(cells, n_genes=3)

# %% [markdown]
# scanpy's own plots read the same result: give them `key="rank_genes"`.

# %%
sc.pl.rank_genes_groups_dotplot(cells, key="rank_genes", n_genes=3, dendrogram=False)

# %% [markdown]
# One cluster against all others, as a volcano plot:

# %%
_ = dex.pl.volcano(cells, "CD19+ B", n_labels=8)

# %% [markdown]
# ## Cells are not replicates
#
# To find *markers* of a cluster, cells may be compared. The p-values only sort the genes: clusters
# were made from the same data, so some difference between them is certain beforehand.
#
# To compare *conditions*, patients against controls, say, cells are the wrong unit. Cells of one
# donor resemble each other, so a thousand cells of three donors are three observations. Here is
# what happens otherwise: three donors on each side, 100 cells of each, and **not one gene that
# truly differs**.

# %%
donors = dex.datasets.simulate_counts(
    n_genes=1000, n_per_group=3, cells_per_replicate=100, mean_count=0.5, de_fraction=0, seed=1
)
donors.obs = donors.obs.rename(columns={"replicate": "donor"})

dex.tl.rank_genes(donors, groupby="condition", method="wilcoxon", key_added="by_cell")
print(len(dex.get.rank_genes_df(donors, key="by_cell", padj=0.05)), "false genes, testing cells")

# %% [markdown]
# There is a warning, and it says what to do. With `replicate="donor"` the counts of each donor are
# added up, and six samples are tested.

# %%
dex.tl.rank_genes(donors, groupby="condition", replicate="donor", key_added="by_donor")
print(len(dex.get.rank_genes_df(donors, key="by_donor", padj=0.05)), "false genes, testing donors")

# %% [markdown]
# The p-values show the same. If nothing differs, all p-values are equally frequent: level, as in
# the picture of the donors. In the picture of the cells they pile up at zero, as if there were
# plenty to find: **wrong p-values look like a great success.** The words below it say that cells
# were tested. Whether the rows of your own table are replicates, only you know.

# %%
_ = dex.pl.pvalues(donors, key="by_cell", title="testing cells: wrong")

# %%
_ = dex.pl.pvalues(donors, key="by_donor", title="testing donors: right")

# %% [markdown]
# ## A limit to know of
#
# Samples with counts are tested by edgeR's quasi-likelihood F test: what all genes tell of the
# noise is lent to each. With two to four samples on each side that finds far more than a t-test.
# It does not make up for samples that were not taken.

# %%
temporary.cleanup()
