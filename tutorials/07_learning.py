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
# # 7. Can expression predict it? The leak, and its cure
#
# A model that is tested on what it was made from is always good. With 20,000 genes and 20 samples
# this happens without anybody noticing. Here we make it happen twice, on data without any signal,
# and then do it right.

# %%
import pathlib
import tempfile

import matplotlib.pyplot as plt
import numpy as np

import dex

# %config InlineBackend.figure_format = "retina"

# %% [markdown]
# ## The first leak: choosing genes before cross-validation
#
# Forty samples, two groups, and **nothing differs**. Someone tests all genes, keeps the best 50,
# and then does a flawless five-fold cross-validation of them:

# %%
noise = dex.datasets.simulate_counts(3000, n_per_group=20, de_fraction=0, seed=5)
dex.tl.rank_genes(noise, "condition", method="t-test")
best = dex.get.rank_genes_df(noise)["gene"].head(50)
chosen = noise[:, best].copy()
dex.tl.classify(chosen, "condition", n_genes=None, n_permutations=0)

# %% [markdown]
# The genes were chosen because they differ in *these* samples, those of the test folds included.
# Give `classify` all genes, and it chooses within the folds, as it does everything that looks at
# data: normalisation across samples, the choice of genes, scaling, the fit.

# %%
dex.tl.classify(noise, "condition", n_permutations=100)

# %% [markdown]
# The AUC is about 0.5. What the same procedure finds with permuted labels is the grey bars:

# %%
dex.pl.permutation_null(noise)
plt.show()

# %% [markdown]
# ## The second leak: cells of one donor on both sides
#
# Eight donors with 40 cells each. Donors differ, as people do; conditions do not.

# %%
cells = dex.datasets.simulate_counts(
    400,
    n_per_group=4,
    de_fraction=0,
    cells_per_replicate=40,
    mean_count=1,
    replicate_sd=1,
    replicate_condition_sd=0,
    seed=5,
)
split = cells.copy()
split.obs = split.obs.drop(columns="replicate")  # nobody knows who is whose
dex.tl.classify(split, "condition", n_permutations=0, repeats=1)

# %% [markdown]
# Near perfect, because the model knows every donor, and a donor has one condition. With the column
# that names donors in `obs`, `classify` finds it by itself (or by `replicate=`), keeps donors on
# one side of every fold, and takes the AUC over donors, of whom there are eight:

# %%
dex.tl.classify(cells, "condition", n_permutations=100, repeats=2)
dex.get.metrics_df(cells)

# %% [markdown]
# The interval is wide, as it should be: eight donors cannot tell an AUC of 0.5 from one of 0.8.
# Their labels can be dealt in 70 ways only, so that p cannot be below 1/70, whatever the cells.

# %%
permutation = cells.uns["classify"]["permutation"]
print(f"{permutation['n_possible']:.0f} ways, p = {permutation['pval']:.2f}")

# %% [markdown]
# ## With something to be found
#
# Twelve patients and twelve controls; one gene in twenty differs, and one sample is mislabelled.

# %%
samples = dex.datasets.simulate_counts(
    2000, n_per_group=15, de_fraction=0.05, log2fc_sd=0.8, dispersion=0.15, seed=5
)
is_new = np.arange(samples.n_obs) % 15 >= 12
new, samples = samples[is_new].copy(), samples[~is_new].copy()
labels = samples.obs["condition"].astype(str)
labels.iloc[3] = "treated"
samples.obs["label"] = labels
model = dex.tl.classify(samples, "label", n_permutations=100)
print(model)

# %%
figure, axes = plt.subplots(1, 3, figsize=(9.5, 3.6), layout="constrained")
dex.pl.roc(samples, ax=axes[0])
dex.pl.precision_recall(samples, ax=axes[1])
dex.pl.calibration_curve(samples, ax=axes[2])
plt.show()

# %% [markdown]
# `obs["classify_own"]` is the probability, by models that the sample had no part in, of the label
# that it bears. Where that is low, look at the label:

# %%
samples.obs.sort_values("classify_own")[["label", "classify_predicted", "classify_own"]].head(3)

# %%
dex.pl.confusion(samples)
plt.show()

# %% [markdown]
# ## How few genes are enough?
#
# `signature` orders the genes, here by stability selection: how often a gene is among the first in
# lasso paths of halves of the samples. The size of the panel is chosen by cross-validation *within*
# the training side of each fold, so that the AUC it reports is that of the whole procedure.

# %%
panel = dex.tl.signature(samples, "label", repeats=1, n_subsamples=30)
dex.get.signature_df(samples)

# %%
figure, axes = plt.subplots(1, 2, figsize=(8, 3.6), layout="constrained")
dex.pl.panel_size(samples, ax=axes[0])
dex.pl.stability(samples, ax=axes[1])
plt.show()

# %%
dex.pl.importance(samples, key="classify", n_genes=12)
plt.show()

# %% [markdown]
# ## New samples
#
# A model remembers how its training samples were normalised, so that a single new sample can be
# predicted; genes are matched by name. It is kept in a file of JSON and arrays, without pickle.

# %%
with tempfile.TemporaryDirectory() as folder:
    path = pathlib.Path(folder) / "treated.zip"
    dex.io.save_model(model, path)
    again = dex.io.load_model(path)
predicted = dex.tl.predict(new, again)
predicted.assign(truth=new.obs["condition"])

# %% [markdown]
# ## What to write
#
# Say over how many donors the AUC was taken, give its interval, the p-value and the number of
# permutations, and that genes were chosen within the folds. `adata.uns["classify"]` has it all.
# Other estimators plug in: `estimator=RandomForestClassifier()`, or a function that builds a Keras
# model. Numbers, as age or dose, are for `dex.tl.regress`.
