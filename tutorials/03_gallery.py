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
# # 3. Gallery: every plot, and how to change it
#
# | plot | answers |
# |---|---|
# | [`volcano`](#Volcano) | which genes change, by how much, how surely |
# | [`ma`](#MA) | the same by expression; is the normalisation sound? |
# | [`heatmap`](#Heatmap) | do the samples agree about the best genes? |
# | [`expression`](#Expression) | what do the values of one gene look like? |
# | [`pca`](#PCA), [`mds`](#MDS) | which samples are alike? |
# | [`sample_distances`](#Sample-distances) | the same, all distances |
# | [`pvalues`](#p-values) | does the test suit the data? |
# | [`compare`](#Compare) | what do several tests have in common? |
#
# At the end: [several panels in one figure](#A-figure-for-a-paper), fonts, colours, and files for a
# journal.
#
# Everything is simulated and runs offline.

# %%
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import dex

# %config InlineBackend.figure_format = "retina"

# %% [markdown]
# A control and two drugs, six samples of each, in two batches. The table has Ensembl-like
# identifiers, and the names of the genes are in a column of `var`. `gene_symbols="symbol"` shows
# these names; every plot and table takes it.

# %%
adata = dex.datasets.simulate_counts(
    n_genes=3000,
    n_per_group=6,
    groups=("control", "drugA", "drugB"),
    n_batches=2,
    log2fc_sd=1.5,
    seed=11,
)
adata.var["symbol"] = adata.var_names.str.replace("gene", "Gene")
adata.var_names = [f"ENSX{j:08d}" for j in range(adata.n_vars)]
dex.pp.filter_genes(adata, groupby="condition")

dex.tl.rank_genes(adata, groupby="condition", design="~ batch + condition", reference="control")
dex.get.rank_genes_df(adata, gene_symbols="symbol")[["gene", "gene_id", "test", "log2fc"]].head(3)

# %% [markdown]
# ## What all plots have in common
#
# - **Which test**: by name, group or number, as `dex.pl.volcano(adata, "drugA")`. By default all.
# - **Which result**: `key=`, if there are several.
# - **Size**: `figsize=(width, height)` in inches, as in matplotlib. The default is 85 mm wide, one
#   column of a journal, or 180 mm, a full page. Text is 6 to 8 points *at that size*. Draw a
#   figure at the size at which it will be printed.
# - **Title**: `title="..."`, and `title=""` for none.
# - **File**: `save="figure.pdf"`, or `.svg`, or `.png` with 300 dpi.
# - **What is returned**: the axes, to go on with matplotlib. `_ =` keeps the notebook from writing
#   `<Axes: ...>` below the figure.

# %% [markdown]
# ## Volcano
#
# Every gene is a point. Coloured points are significant. Names are written as far as there is room,
# so that no name lies on another.

# %%
_ = dex.pl.volcano(adata, "drugA", gene_symbols="symbol")

# %% [markdown]
# Genes that you ask for are named in any case, in bold and with a ring, whether they are
# significant or not. `log2fc=1` leaves genes below two-fold grey. It is a guide for the eye; to
# *test* against two-fold, give `lfc=1` to `rank_genes`.

# %%
_ = dex.pl.volcano(
    adata,
    "drugA",
    gene_symbols="symbol",
    log2fc=1,
    n_labels=3,
    genes=["Gene0300", "Gene1839", "Gene2071"],
    title="Drug A",
)

# %% [markdown]
# Sets of genes by `highlight=`: each has its own colour and its own marker, so that nobody needs to
# see the colour. All others become pale.

# %%
symbols = adata.var["symbol"]
sets = {"pathway 1": list(symbols[::60]), "pathway 2": list(symbols[7::75])}
_ = dex.pl.volcano(adata, "drugA", gene_symbols="symbol", highlight=sets, n_labels=0)

# %% [markdown]
# All tests side by side. `y_limit=` and `x_limit=` end the axes. Points beyond are not dropped:
# they are triangles at the edge.

# %%
_ = dex.pl.volcano(adata, gene_symbols="symbol", n_labels=0, y_limit=10, x_limit=3)

# %% [markdown]
# ## MA
#
# Fold change against mean expression. The dashed line is the running median: it should lie at zero.
# Fold changes of weakly expressed genes scatter more; that is normal.

# %%
_ = dex.pl.ma(adata, "drugA", gene_symbols="symbol", n_labels=4)

# %% [markdown]
# ## Heatmap
#
# The best genes, half up and half down. With several tests, each brings its own block.

# %%
_ = dex.pl.heatmap(adata, gene_symbols="symbol", n_genes=8)

# %% [markdown]
# Genes can be divided into clusters cut from their tree, and samples by any columns of `obs`. Trees
# are drawn if you ask for them. `annotations=` chooses the bars above.

# %%
_ = dex.pl.heatmap(
    adata,
    "drugA",
    gene_symbols="symbol",
    n_genes=30,
    split_genes=4,
    split_obs=["condition", "batch"],
    dendrogram="genes",
    title="The best genes of drug A, in four clusters",
)

# %% [markdown]
# Your own genes, in your own groups, with the values themselves in place of z-scores. For values a
# colour map from light to dark is right, and no red and blue.

# %%
_ = dex.pl.heatmap(
    adata,
    gene_symbols="symbol",
    split_genes={"pathway 1": sets["pathway 1"][:8], "pathway 2": sets["pathway 2"][:6]},
    groupby="condition",
    z_score=False,
    cmap="magma",
    title="",
)

# %% [markdown]
# Many genes and a few names: `mark=` names some of the rows.

# %%
many = dex.get.rank_genes_df(adata, "drugA", padj=0.05)["gene"]
_ = dex.pl.heatmap(
    adata,
    "drugA",
    genes=list(many),
    mark=list(many[:6]),
    gene_symbols="symbol",
    figsize=(3.35, 4),
)

# %% [markdown]
# ## Expression
#
# The six best genes by default, or those that you name. `kind=` is `"points"`, `"box"`, `"violin"`
# or `"bar"`. The samples are points in each of them: a bar alone hides them.

# %%
best = dex.get.rank_genes_df(adata, "drugA", gene_symbols="symbol")["gene"][:3].tolist()
_ = dex.pl.expression(adata, best, gene_symbols="symbol")

# %%
_ = dex.pl.expression(adata, best, gene_symbols="symbol", kind="box")

# %% [markdown]
# `hue=` divides each group. Here it shows how much of the scatter is the batch.

# %%
_ = dex.pl.expression(adata, best, gene_symbols="symbol", hue="batch")

# %% [markdown]
# Measurements of the same donor are joined by lines if the design has pairs. The lines say more
# than the groups: they go the same way.

# %%
pairs = dex.datasets.simulate_counts(
    n_genes=1500, n_per_group=6, paired=True, replicate_sd=1.0, seed=2
)
dex.tl.rank_genes(pairs, design="~ donor + condition")
_ = dex.pl.expression(pairs, n_columns=3)

# %% [markdown]
# Numbers go along the x axis, with a line through them. (The ages are invented here, so no gene
# should follow them.)

# %%
adata.obs["age"] = np.tile([25.0, 31, 38, 44, 52, 60], 3)
dex.tl.rank_genes(adata, design="~ condition + age", key_added="by_age")
_ = dex.pl.expression(adata, best[0], key="by_age", hue="condition", gene_symbols="symbol")

# %% [markdown]
# ## PCA
#
# Each point is a sample. The percentage on an axis is the share of the variance that it shows. Run
# `dex.tl.pca` once; it uses the 500 most variable genes.

# %%
dex.tl.pca(adata)
_ = dex.pl.pca(adata, "condition", shape="batch", labels=None)

# %% [markdown]
# Several colourings make several panels. A gene can be one of them. `components=` shows further
# axes, and `loadings=` draws the genes behind them as arrows.

# %%
_ = dex.pl.pca(adata, ["condition", "batch", best[0]], gene_symbols="symbol", labels=None)

# %%
_ = dex.pl.pca(
    adata, "condition", components=(2, 3), loadings=5, gene_symbols="symbol", labels=None
)

# %% [markdown]
# ## MDS
#
# The same question with another distance: how far apart two samples are in the genes that differ
# most between just these two. The axes are in log2 fold changes. limma's `plotMDS` draws this.

# %%
dex.tl.mds(adata)
_ = dex.pl.mds(adata, "condition", shape="batch", labels=None)

# %% [markdown]
# ## Sample distances
#
# The same distances, all of them. Dark is near. A swapped or bad sample is a light line.

# %%
_ = dex.pl.sample_distances(adata, ["condition", "batch"])

# %% [markdown]
# ## p-values
#
# Look here when there are surprisingly few or surprisingly many genes. Good p-values are level,
# with a peak at zero. The words below say what the shape means.

# %%
_ = dex.pl.pvalues(adata, "drugA")

# %% [markdown]
# The QQ plot shows the small p-values more closely. Unchanged genes lie in the grey band.

# %%
_ = dex.pl.pvalues(adata, "drugA", kind="qq")

# %% [markdown]
# ## Compare
#
# Two tests: the fold changes of one against those of the other.

# %%
_ = dex.pl.compare(adata, gene_symbols="symbol", n_labels=6)

# %% [markdown]
# More tests: tiles. The colour is the fold change, a dot says that it is significant.

# %%
dex.tl.rank_genes(
    adata,
    design="~ batch + condition",
    contrasts={
        "A - control": "drugA - control",
        "B - control": "drugB - control",
        "B - A": "drugB - drugA",
        "both - control": "(drugA + drugB) / 2 - control",
    },
    key_added="four",
)
_ = dex.pl.compare(adata, key="four", n_genes=20, gene_symbols="symbol")

# %% [markdown]
# How many genes are significant in which tests? An UpSet plot says it where a Venn diagram would be
# too full. Each column is one combination of tests: exactly these, and no other.
#
# A warning: "significant in A, not in B" does not show that A and B differ. The test `B - A` does.

# %%
_ = dex.pl.compare(adata, key="four", kind="upset")

# %% [markdown]
# Several results, for example of several methods, are compared by several keys:

# %%
for method in ("t-test", "ols"):
    dex.tl.rank_genes(
        adata,
        groupby="condition",
        groups=["drugA"],
        reference="control",
        method=method,
        key_added=method,
    )
_ = dex.pl.compare(adata, key=["t-test", "ols"], kind="scatter", gene_symbols="symbol", n_labels=4)

# %% [markdown]
# ## Colours of the groups
#
# Groups have colours that can be told apart by everybody (Okabe and Ito's). Your own go where
# scanpy keeps them, in `adata.uns`, one for each category. All plots use them then.

# %%
adata.uns["condition_colors"] = ["#7f7f7f", "#7b3294", "#008837"]
_ = dex.pl.pca(adata, "condition", labels=None, figsize=(3.35, 2.4))

# %% [markdown]
# ## Fonts
#
# The font is matplotlib's. Set it once, and all figures have it. Sizes stay: they are made for
# print. For a slide, enlarge the whole picture instead; `.svg` and `.pdf` stay sharp.

# %%
with plt.rc_context({"font.family": "serif"}):
    _ = dex.pl.volcano(adata, "drugA", gene_symbols="symbol", n_labels=3, figsize=(2.6, 2.6))

# %% [markdown]
# ## A figure for a paper
#
# Make the panels with matplotlib, and give each plot its own by `ax=`. What a plot returns is plain
# matplotlib: labels, limits and texts can be changed as always.

# %%
mm = 1 / 25.4
figure = plt.figure(figsize=(180 * mm, 150 * mm), layout="constrained")
panels = figure.subplot_mosaic("ab;cd", height_ratios=[1, 1.1])

dex.pl.pca(adata, "condition", shape="batch", labels=None, ax=panels["a"])
dex.pl.volcano(adata, "drugA", gene_symbols="symbol", n_labels=4, ax=panels["b"])
dex.pl.expression(adata, best[0], gene_symbols="symbol", ax=panels["c"])
dex.pl.heatmap(adata, "drugA", n_genes=12, gene_symbols="symbol", ax=panels["d"])

panels["c"].set_ylabel("expression (log$_2$ CPM)")
for letter, panel in panels.items():
    panel.annotate(
        letter,
        xy=(0, 1),
        xycoords="axes fraction",
        xytext=(-26, 12),
        textcoords="offset points",
        fontsize=9,
        fontweight="bold",
    )

# %% [markdown]
# Save it as PDF. In a PDF or SVG of dex the text stays text: it can be edited in Illustrator or
# Inkscape. For a figure of your own, set `pdf.fonttype` to 42 when you save, as below. With more
# than 2000 points, these are a bitmap inside the file, so that it opens fast.

# %%
with tempfile.TemporaryDirectory() as folder:
    with plt.rc_context({"pdf.fonttype": 42, "svg.fonttype": "none"}):
        figure.savefig(Path(folder) / "figure1.pdf")
    _ = dex.pl.volcano(
        adata, "drugA", gene_symbols="symbol", return_fig=True, save=Path(folder) / "volcano.svg"
    )
    for path in sorted(Path(folder).iterdir()):
        print(f"{path.name:14}{path.stat().st_size / 1000:6.0f} kB")

# %% [markdown]
# `return_fig=True` hands over the figure and does not show it. It is right for scripts that make
# many figures.
