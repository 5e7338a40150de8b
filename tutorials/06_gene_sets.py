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
# # 6. Gene sets
#
# Which pathways change? Gene sets come as a GMT file (MSigDB's Hallmark sets, Reactome, ...), as a
# dict, or as a table. `dex.tl.enrich` tests them in every contrast of a result. Here both are
# simulated, so that we know what is true:
#
# - `INTERFERON_RESPONSE` is up under both drugs, and `INTERFERON_ALPHA` is a part of it;
# - `CELL_CYCLE` is down under drug B;
# - `PATHWAY_1` to `PATHWAY_20` do **not** answer to a drug, but the genes of each go up and down
#   together from sample to sample, as those of real pathways do;
# - the other sets are random genes.

# %%
import matplotlib.pyplot as plt
import numpy as np

import dex

# %config InlineBackend.figure_format = "retina"

# %%
adata = dex.datasets.simulate_counts(
    2000, n_per_group=6, groups=("control", "drugA", "drugB"), de_fraction=0.05, seed=6
)
rng = np.random.default_rng(6)
genes = rng.permutation(adata.var_names)
gene_sets = {
    "INTERFERON_RESPONSE": list(genes[:60]),
    "INTERFERON_ALPHA": list(genes[:25]),
    "CELL_CYCLE": list(genes[60:110]),
}
for i in range(20):
    gene_sets[f"PATHWAY_{i + 1}"] = list(genes[110 + 40 * i : 150 + 40 * i])
    gene_sets[f"RANDOM_{i + 1}"] = list(rng.choice(genes[910:], 40, replace=False))

log2fc = np.zeros(adata.shape)
place = {name: adata.var_names.get_indexer(one) for name, one in gene_sets.items()}
drug = adata.obs["condition"].to_numpy()
log2fc[np.ix_(drug != "control", place["INTERFERON_RESPONSE"])] = 0.8
log2fc[np.ix_(drug == "drugB", place["CELL_CYCLE"])] = -0.8
for i in range(20):
    log2fc[:, place[f"PATHWAY_{i + 1}"]] += 0.3 * rng.standard_normal((adata.n_obs, 1))
adata.X = rng.poisson(adata.X * 2**log2fc).astype(float)

# %% [markdown]
# ## Genes, then sets
#
# Genes are ranked as ever. `enrich` finds the samples behind the result again, matches the names of
# the genes (without regard to versions of Ensembl identifiers, and in the column of `var` that has
# most of them), and says what it has done.

# %%
dex.pp.filter_genes(adata, groupby="condition")
dex.tl.rank_genes(adata, "condition", reference="control")
dex.tl.enrich(adata, gene_sets)

# %%
columns = ["contrast", "gene_set", "direction", "n_genes", "pval", "padj", "correlation"]
dex.get.enrich_df(adata, padj=0.05)[[*columns, "representative"]]

# %% [markdown]
# Both contrasts were tested in one call. `INTERFERON_ALPHA` overlaps with `INTERFERON_RESPONSE`,
# and whichever is the better one represents both; `representative=True` leaves the others out.
# `leading_edge` names the genes that carry a result:

# %%
best = dex.get.enrich_df(adata, padj=0.05, representative=True)
print(best["gene_set"].tolist())
print(best["leading_edge"][0][:60], "...")

# %%
dex.pl.enrich_dotplot(adata)
plt.show()

# %%
dex.pl.running_score(adata, ["INTERFERON_RESPONSE", "CELL_CYCLE"], contrast="drugB vs control")
plt.show()

# %% [markdown]
# ## Why camera
#
# Methods that see only the list of genes (GSEA, ULM, camera of ranked genes) ask whether a set's
# genes are high in it, and take genes for independent. Genes of a pathway are not: a few samples
# in which it happens to be high are enough to lift all of it. `method="camera"` estimates from the
# residuals of the samples how much the genes of each set vary together:

# %%
called = {}
for method in ("camera", "fry", "camera_preranked", "ulm", "gsea"):
    dex.tl.enrich(adata, gene_sets, method=method, key_added=method)
    table = dex.get.enrich_df(adata, key=method)
    null = table[table["gene_set"].str.startswith("PATHWAY")]
    called[method] = (null["pval"] <= 0.05).mean()
table = dex.get.enrich_df(adata, key="camera")
table.groupby(table["gene_set"].str.split("_").str[0])["correlation"].mean()

# %%
figure, axes = plt.subplots(figsize=(5, 2.2))
colours = ["#0072B2" if method in ("camera", "fry") else "#D55E00" for method in called]
axes.barh(list(called), list(called.values()), color=colours)
axes.axvline(0.05, color="black", linewidth=0.8, linestyle=":")
axes.invert_yaxis()
axes.set(xlabel="share of the pathways, in which nothing changes, with p <= 0.05")
plt.show()

# %% [markdown]
# At most the dotted line, 5%, should be called. (`fry` asks another question, see below: some genes
# of these pathways do change.) Methods that see only the list warn where samples were at hand.
#
# ## Which method when
#
# | `method=` | question | what is random |
# |---|---|---|
# | `"camera"` | do its genes change more than the others? | samples |
# | `"fry"`, `"roast"` | do its genes change at all? | samples |
# | `"ora"` | are there more of its genes among those called than expected? | genes |
# | `"gsea"`, `"ulm"`, `"camera_preranked"` | are its genes high or low in the list? | genes |
#
# `fry` is *self-contained*: where many genes change, random sets do too, and are called. That is
# no error, but its question. `pval_mixed` asks for changes in whatever direction:

# %%
dex.get.enrich_df(adata, "drugB vs control", key="fry")[
    ["gene_set", "direction", "pval", "pval_mixed", "padj_mixed"]
].head(4)

# %% [markdown]
# Over-representation tests genes up and down apart. Its universe are the genes with a p-value,
# and a message tells how many these are:

# %%
dex.tl.enrich(adata, gene_sets, method="ora", key_added="ora")
dex.get.enrich_df(adata, key="ora", padj=0.05)[["contrast", "gene_set", "direction", "n_overlap"]]

# %% [markdown]
# ## Files
#
# `dex.io.read_gmt("hallmark.gmt")` gives a dict, and `dex.tl.enrich(adata, "hallmark.gmt")` reads
# the file itself; nothing is downloaded. The table goes with the AnnData into h5ad and zarr, and
# `dex.io.write_enrichment(adata, "sets.csv")` writes it. On the command line:
#
# `dex enrich ranked.h5ad hallmark.gmt --table sets.csv -o enriched.h5ad`
