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
# # 2. Designs: say what was compared with what
#
# A test answers the question that its design asks. This notebook goes through the designs of most
# experiments: two groups, several groups, pairs, batches, a dose, and two factors that act on each
# other. For each you see **how to write it**, **how to read the answer**, and **what goes wrong**.
#
# All data here are simulated. So the truth is known, and every estimate can be held against it.
# Nothing is downloaded and nothing is left on your disk.

# %%
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import dex
from dex.errors import DesignError, InputError

# %config InlineBackend.figure_format = "retina"

# %% [markdown]
# One small function will be used throughout. It counts the genes that were found, and how many of
# them were truly changed in the simulation.


# %%
def compare_with_truth(adata, truth, test=0, *, key="rank_genes", padj=0.05):
    """Count the genes found, right and missed, and measure the error of log2fc."""
    table = dex.get.rank_genes_df(adata, test, key=key).set_index("gene").loc[adata.var_names]
    found, changed = (table["padj"] <= padj).to_numpy(), truth != 0
    error = (table["log2fc"] - truth)[changed]
    return pd.Series(
        {
            "genes found": found.sum(),
            "... truly changed": (found & changed).sum(),
            "... not changed": (found & ~changed).sum(),
            "changed, not found": (~found & changed).sum(),
            "typical error of log2fc": round(error.abs().median(), 2),
        },
        dtype=object,
    )


# %% [markdown]
# ## Two groups
#
# Six controls and six treated samples. One gene in ten is changed.

# %%
adata = dex.datasets.simulate_counts(n_genes=2000, n_per_group=6, log2fc_sd=1.5, seed=1)
dex.pp.filter_genes(adata, groupby="condition")
adata.obs.groupby("condition", observed=True).size()

# %% [markdown]
# `groupby=` names the column whose levels are compared. The notes below the cell say what was
# decided for you. **Read them**: they say which method ran, which side is positive, and what was
# done to the counts.

# %%
dex.tl.rank_genes(adata, groupby="condition")
dex.get.rank_genes_df(adata).head()

# %% [markdown]
# `log2fc` is the effect in log2: +1 is twice as much in *treated*, -1 is half as much. `padj` is
# the p-value after adjusting for the number of genes. Of all genes with `padj` up to 0.05, about 5
# % are expected to be false.

# %%
compare_with_truth(adata, adata.var["true_log2fc"])

# %% [markdown]
# Most of the genes found are right, and many changed genes are missed. Those have a small change or
# few counts. **A gene that was not found is not shown to be unchanged.**
#
# In the picture, the estimates lie around the diagonal. They scatter, because six samples are few.

# %%
table = dex.get.rank_genes_df(adata).set_index("gene").loc[adata.var_names]
found = table["padj"] <= 0.05

fig, ax = plt.subplots(figsize=(3.3, 3.3), layout="constrained")
ax.axline((0, 0), slope=1, color="0.7", linewidth=1)
for label, rows, colour in [("not found", ~found, "0.75"), ("found", found, "#a50f26")]:
    ax.scatter(adata.var["true_log2fc"][rows], table["log2fc"][rows], s=6, c=colour, label=label)
ax.set(xlabel="true log2 fold change", ylabel="estimated log2 fold change")
_ = ax.legend(frameon=False)

# %% [markdown]
# ### Which level is the reference?
#
# "Up" has a meaning only against a reference. It is, in this order:
#
# 1. what you say: `reference="control"`;
# 2. the first category, if the column is an *ordered* categorical;
# 3. a level whose name means control: `control`, `ctrl`, `untreated`, `wild type`, `DMSO`, ...;
# 4. the first level: of a categorical its first category, of text the first in the alphabet.
#
# Here the names mean nothing to a computer, so rule 4 applies, and the note says so. If that is the
# wrong way round, say it by `reference=`. All signs turn, and nothing else changes.

# %%
adata.obs["site"] = adata.obs["condition"].map({"control": "liver", "treated": "brain"}).astype(str)
dex.tl.rank_genes(adata, groupby="site")
first = dex.get.rank_genes_df(adata)

dex.tl.rank_genes(adata, groupby="site", reference="liver")
second = dex.get.rank_genes_df(adata)

pd.concat({"default": first, "reference='liver'": second}).groupby(level=0, sort=False).head(2)[
    ["gene", "test", "log2fc", "padj"]
]

# %% [markdown]
# ### Larger than what?
#
# A p-value asks whether a change is different from *zero*. With many samples, changes that are far
# too small to matter are found. `lfc=1` asks whether the change is larger than *two-fold*.
#
# This is not the same as throwing out genes with a small `log2fc` afterwards. An estimate of 1.1
# may well come from a true 0.8. Only the test against a threshold counts such errors: it is the one
# that lets you write "changed by more than two-fold (FDR 5 %)".

# %%
truth = adata.var["true_log2fc"]
dex.tl.rank_genes(adata, groupby="condition")
cut = dex.get.rank_genes_df(adata, padj=0.05, log2fc=1)["gene"]

dex.tl.rank_genes(adata, groupby="condition", lfc=1, key_added="two_fold")
tested = dex.get.rank_genes_df(adata, key="two_fold", padj=0.05)["gene"]

pd.DataFrame(
    {
        "genes": [len(cut), len(tested)],
        "... whose true change is less than two-fold": [
            (truth[genes].abs() < 1).sum() for genes in (cut, tested)
        ],
    },
    index=["padj <= 0.05, then |log2fc| >= 1", "lfc=1"],
)

# %% [markdown]
# The price is power: fewer genes, but each stands for what you claim. The grey band of the volcano
# plot is the part that belongs to the null hypothesis.

# %%
_ = dex.pl.volcano(adata, key="two_fold", n_labels=5)

# %% [markdown]
# ## Pairs: the same donor before and after
#
# Donors differ from each other, often more than the treatment changes them. If each donor is
# measured twice, the donor can be taken out: put it into the design, before the condition.

# %%
pairs = dex.datasets.simulate_counts(
    n_genes=2000, n_per_group=6, paired=True, replicate_sd=1.0, seed=1
)
dex.pp.filter_genes(pairs, groupby="condition")
pairs.obs[["condition", "donor"]].head(3)

# %% [markdown]
# A design is a formula: `~ donor + condition` reads "counts depend on the donor and on the
# condition". With a design alone, its **last** coefficient is tested, so put what you ask for
# last. Or name it by `groupby=`, as in the second line.

# %%
model = {"groupby": "condition", "method": "limma"}  # which has standard errors to look at
dex.tl.rank_genes(pairs, **model, key_added="ignored")
dex.tl.rank_genes(pairs, **model, design="~ donor + condition", key_added="paired")

# %%
truth = pairs.var["true_log2fc"]
results = {"~ condition": "ignored", "~ donor + condition": "paired"}
pd.DataFrame(
    {
        design: dex.get.rank_genes_df(pairs, key=key, padj=0.05).shape[0]
        for design, key in results.items()
    },
    index=["genes found"],
)

# %% [markdown]
# The same samples, the same estimates, but with the donors the noise is known to be smaller.
# Look at one gene: its `log2fc` is the same, and its standard error (`log2fc_se`) shrinks.

# %%
best = dex.get.rank_genes_df(pairs, key="paired")["gene"][0]
rows = [
    dex.get.rank_genes_df(pairs, key=key).set_index("gene").loc[best] for key in results.values()
]
pd.DataFrame(rows, index=list(results))[["log2fc", "log2fc_se", "df", "pval"]].assign(
    truth=truth[best]
)

# %% [markdown]
# With pairs and nothing else, the paired t-test is the same test:
# `rank_genes(pairs, groupby="condition", method="t-test-paired", block="donor")`. The design also
# works where a donor lacks one sample, and with more terms.

# %%
dex.tl.rank_genes(
    pairs, groupby="condition", method="t-test-paired", block="donor", key_added="t_test"
)
design_p = dex.get.rank_genes_df(pairs, key="paired").set_index("gene")["pval"]
t_test_p = dex.get.rank_genes_df(pairs, key="t_test").set_index("gene")["pval"]
print("largest difference of a p-value:", f"{(design_p - t_test_p).abs().max():.0e}")

# %% [markdown]
# ## Batches
#
# Samples that were processed together resemble each other. If every batch holds all conditions, the
# batch can be taken out in the same way. (Do not "correct" the counts first: the test would believe
# the corrected values and not know what the correction has cost.)

# %%
batches = dex.datasets.simulate_counts(
    n_genes=2000, n_per_group=4, n_batches=2, batch_sd=1.0, log2fc_sd=1.5, seed=3
)
dex.pp.filter_genes(batches, groupby="condition")
pd.crosstab(batches.obs["condition"], batches.obs["batch"])

# %%
dex.tl.rank_genes(batches, design="~ condition", key_added="ignored")
dex.tl.rank_genes(batches, design="~ batch + condition", key_added="adjusted")

pd.DataFrame(
    {
        "~ condition": len(dex.get.rank_genes_df(batches, key="ignored", padj=0.05)),
        "~ batch + condition": len(dex.get.rank_genes_df(batches, key="adjusted", padj=0.05)),
    },
    index=["genes found"],
)

# %% [markdown]
# The heatmap shows why. Bars above the columns show both terms of the design. Within each condition
# many genes are high in one batch and low in the other.

# %%
_ = dex.pl.heatmap(batches, key="adjusted", n_genes=30)

# %% [markdown]
# ### A confounded batch
#
# Now all controls are in one batch and all treated samples in the other. Then nothing can tell the
# batch from the treatment, and no method can. You get an error that says which columns are the
# same, with a table of the samples.

# %%
one_batch_each = (batches.obs["condition"] == "control") == (batches.obs["batch"] == "batch1")
confounded = batches[one_batch_each].copy()
try:
    dex.tl.rank_genes(confounded, design="~ batch + condition")
except DesignError as error:
    print(error)

# %% [markdown]
# Leaving the batch out of the design makes the error go away. **It does not make the problem go
# away**: what you find is then the treatment *or* the batch. The cure is in the laboratory: put
# samples of every condition into every batch.
#
# A design that is only unbalanced still works: three controls and one treated sample in the first
# batch, and the opposite in the second. It costs precision. The same number of samples, evenly
# spread, gives smaller standard errors.

# %%
many = dex.datasets.simulate_counts(n_genes=2000, n_per_group=6, n_batches=2, seed=3)
number = many.obs.groupby(["condition", "batch"], observed=True).cumcount()
favoured = (many.obs["condition"] == "control") == (many.obs["batch"] == "batch1")

median_se = {}
for name, keep in {
    "2 + 2 and 2 + 2": number < 2,
    "3 + 1 and 1 + 3": number < np.where(favoured, 3, 1),
}.items():
    chosen = many[keep].copy()
    dex.tl.rank_genes(chosen, "condition", design="~ batch + condition", method="limma")
    median_se[name] = dex.get.rank_genes_df(chosen)["log2fc_se"].median()
pd.Series(median_se, name="median log2fc_se").rename_axis("samples per batch").round(2)

# %% [markdown]
# ## Several groups
#
# A control and two drugs. There are three common questions, and each has its own call.

# %%
drugs = dex.datasets.simulate_counts(
    n_genes=2000,
    n_per_group=4,
    groups=("control", "drugA", "drugB"),
    n_batches=2,
    log2fc_sd=1.5,
    seed=5,
)
dex.pp.filter_genes(drugs, groupby="condition")
design = "~ batch + condition"

# %% [markdown]
# **Each drug against the control**: give the reference.

# %%
dex.tl.rank_genes(
    drugs, groupby="condition", design=design, reference="control", key_added="vs_control"
)
dex.get.tests_df(drugs, key="vs_control")[["name", "n_group", "n_reference", "n_tested"]]

# %% [markdown]
# **What is special about each group**: give no reference, or `reference="rest"`. Each group is then
# compared with the mean of the *others' means*. Each of the other groups counts the same, however
# many samples it has. This is right for tissues or cell types, where no group is the control.

# %%
dex.tl.rank_genes(drugs, groupby="condition", design=design, key_added="vs_rest")
dex.get.tests_df(drugs, key="vs_rest")[["name", "n_group", "n_reference", "n_tested"]]

# %% [markdown]
# The two are different questions with different answers. A gene that drug A and drug B both double
# is +1 for each against the control; but drug A against the rest is only +0.5.

# %%
both = drugs.varm["true_log2fc"].min(axis=1).argmax()
gene = drugs.var_names[both]
print(gene, "true log2fc against control:", drugs.varm["true_log2fc"][both].round(2))
pd.concat(
    dex.get.rank_genes_df(drugs, key=key).query("gene == @gene")[
        ["gene", "test", "log2fc", "stat", "padj"]
    ]
    for key in ("vs_control", "vs_rest")
).reset_index(drop=True)

# %% [markdown]
# **Does anything differ at all?** `test="any"` asks this in one test per gene (an F test). It has
# no direction: there is no `log2fc`. Its use is to find the genes worth a look, without trying
# pairs one by one.

# %%
dex.tl.rank_genes(drugs, groupby="condition", design=design, test="any", key_added="any")
dex.get.rank_genes_df(drugs, key="any")[["gene", "test", "stat", "df", "padj"]].head(3)

# %% [markdown]
# ## Contrasts: any question to a design
#
# A contrast is a difference of group means. There are five ways to write one.

# %%
contrasts = {
    "tuple": ("condition", "drugB", "drugA"),  # column, group, reference
    "expression": "drugB - drugA",  # over levels
    "mean of two": "(drugA + drugB) / 2 - control",
    "coefficient": "condition[T.drugB]",  # by its name
    "vector": [0, 0, -1, 1],  # weights of the coefficients
}
dex.tl.rank_genes(drugs, design=design, contrasts=contrasts, key_added="contrasts")
tests = dex.get.tests_df(drugs, key="contrasts")
tests[["name", "kind", "group", "reference", "n_group", "n_reference"]]

# %% [markdown]
# The dict gives the names; a list of contrasts names itself. All contrasts come from one fit, so
# many cost no more than one. Contrasts that say the same give the same numbers:

# %%
table = dex.get.rank_genes_df(drugs, key="contrasts")
table.pivot_table(index="gene", columns="test", values="log2fc")[list(contrasts)].head(4).round(3)

# %% [markdown]
# Odd names stand in backticks: ``"`C57BL/6J` - `DBA/2J`"``. A name with a slip is not guessed at.
# The error says what there is:

# %%
try:
    dex.tl.rank_genes(drugs, design=design, contrasts="drugC - control")
except InputError as error:
    print(error)

# %% [markdown]
# ## Reading a coefficient
#
# The vector above needs the names and the order of the coefficients. Here they are:

# %%
list(dex.get.params(drugs, key="contrasts")["design_columns"])

# %% [markdown]
# | coefficient | is |
# |---|---|
# | `Intercept` | the control in batch 1: the first level of everything |
# | `batch[T.batch2]` | batch 2 minus batch 1, in every condition alike |
# | `condition[T.drugA]` | drug A minus **control**, in every batch alike |
# | `condition[T.drugB]` | drug B minus **control** |
#
# Read `[T.drugA]` as "drug A against the reference level", and nothing else. The reference has no
# coefficient of its own: it is what the others are compared with. So drug B against drug A is the
# *difference* of two coefficients, `[0, 0, -1, 1]`.
#
# The truth is known, so we can see that both are what the table says:

# %%
true_a, true_b = drugs.varm["true_log2fc"].T
pd.DataFrame(
    {
        "condition[T.drugB] (drugB - control)": compare_with_truth(
            drugs, true_b, test="drugB vs control", key="vs_control"
        ),
        "[0, 0, -1, 1] (drugB - drugA)": compare_with_truth(
            drugs, true_b - true_a, test="vector", key="contrasts"
        ),
    }
)

# %% [markdown]
# Without an intercept, `~ 0 + condition`, every group has a coefficient: its own mean. A single
# one of them is no comparison. The contrasts are written as before and give the same numbers.
#
# ## Two factors: does the drug do something else in the mutant?
#
# Wild type and knock-out, each with a mock treatment and with a drug. This is a 2 x 2 design, with
# four samples in each of the four cells.

# %%
cells = ("WT_mock", "WT_drug", "KO_mock", "KO_drug")
factorial = dex.datasets.simulate_counts(
    n_genes=2000, n_per_group=4, groups=cells, log2fc_sd=1.5, seed=2
)
factorial.obs[["genotype", "treatment"]] = [
    str(cell).split("_") for cell in factorial.obs["condition"]
]
dex.pp.filter_genes(factorial, groupby="condition")
pd.crosstab(factorial.obs["genotype"], factorial.obs["treatment"])

# %% [markdown]
# `genotype * treatment` is short for `genotype + treatment + genotype:treatment`. The last term is
# the **interaction**: the drug's effect in the knock-out minus its effect in the wild type. It is a
# difference of differences.
#
# | coefficient | is |
# |---|---|
# | `Intercept` | wild type, mock |
# | `genotype[T.KO]` | knock-out minus wild type, **in mock** |
# | `treatment[T.drug]` | drug minus mock, **in the wild type** |
# | `genotype[T.KO]:treatment[T.drug]` | drug's effect in the knock-out minus in the wild type |
#
# The trap is the third line. With an interaction in the design, `treatment[T.drug]` is *not* "the
# effect of the drug". It is its effect in the reference genotype alone. A note says so.

# %%
dex.tl.rank_genes(
    factorial,
    design="~ genotype * treatment",
    contrasts={
        "drug in WT": "treatment[T.drug]",
        "drug in KO": "treatment[T.drug] + genotype[T.KO]:treatment[T.drug]",
        "interaction": "genotype[T.KO]:treatment[T.drug]",
    },
)

# %%
wt_drug, ko_mock, ko_drug = factorial.varm["true_log2fc"].T
truths = {
    "drug in WT": wt_drug,
    "drug in KO": ko_drug - ko_mock,
    "interaction": (ko_drug - ko_mock) - wt_drug,
}
pd.DataFrame({test: compare_with_truth(factorial, truth, test) for test, truth in truths.items()})

# %% [markdown]
# The typical error of the interaction is larger: a difference of two differences carries the noise
# of four groups. In this simulation the interactions are large, so many are found all the same. In
# a real experiment most are smaller than the effects themselves. Plan more samples for them.
#
# One common error: "significant in the knock-out, not in the wild type" is **not** an interaction.
# A gene may have `padj` 0.04 in one and 0.06 in the other and do the same in both. Only the third
# test compares the two.
#
# If you do not like coefficients, use one column with all four groups. The contrasts are then
# written in words, and the numbers are the same:

# %%
dex.tl.rank_genes(
    factorial,
    design="~ condition",
    contrasts={"interaction": "(KO_drug - KO_mock) - (WT_drug - WT_mock)"},
    key_added="in_words",
)
in_words = dex.get.rank_genes_df(factorial, key="in_words").set_index("gene")
coefficient = dex.get.rank_genes_df(factorial, "interaction").set_index("gene")
print(f"largest difference: {(in_words['log2fc'] - coefficient['log2fc']).abs().max():.0e}")

# %% [markdown]
# In the heatmap of the interaction, every gene does one thing in the knock-out and another in the
# wild type. Compare drug with mock on the left, then on the right.

# %%
_ = dex.pl.heatmap(factorial, "interaction", n_genes=24, split_obs=["genotype", "treatment"])

# %% [markdown]
# ## A dose or a time: a continuous covariate
#
# Six doses, three samples each. The simulation has no doses, so we take unchanged samples and thin
# their counts: a gene that falls to a half keeps each read with probability one half. The true
# slope is log2 per doubling of (dose + 1).

# %%
rng = np.random.default_rng(0)
dose = np.tile([0.0, 1, 2, 4, 8, 16], 3)
doses = dex.datasets.simulate_counts(
    n_genes=2000, n_per_group=6, groups=("run1", "run2", "run3"), de_fraction=0, seed=3
)
slope = np.zeros(2000)
slope[rng.choice(2000, size=200, replace=False)] = rng.normal(0, 0.5, size=200)

change = np.outer(np.log2(dose + 1), slope)
doses.X = rng.binomial(doses.X.astype(int), 2 ** (change - change.max(axis=0))).astype(float)
doses.obs["dose"], doses.var["true_slope"] = dose, slope
dex.pp.filter_genes(doses)

# %% [markdown]
# In a design, a column of **numbers is a slope**: `log2fc` is then the change *per unit*. The unit
# is what you write. `~ dose` is per milligram, all the way from 0 to 16. `~ log2(dose + 1)` is per
# doubling, which most biology follows better.

# %%
dex.tl.rank_genes(doses, design="~ log2(dose + 1)", key_added="per_doubling")
compare_with_truth(doses, doses.var["true_slope"], key="per_doubling")

# %% [markdown]
# A slope assumes that each doubling does the same. Where that is in doubt there are two ways out.
# Both have no single effect, so they are tested by `test="any"`:
#
# - `C(dose)` makes the numbers a factor: every dose has its own mean;
# - `bs(dose, df=3)` is a smooth curve, for many different doses or times.

# %%
dex.tl.rank_genes(doses, design="~ dose", key_added="per_mg")
dex.tl.rank_genes(doses, design="~ C(dose)", test="any", key_added="factor")
dex.tl.rank_genes(doses, design="~ bs(dose, df=3)", test="any", key_added="curve")

keys = {
    "~ log2(dose + 1)": "per_doubling",
    "~ dose": "per_mg",
    "~ C(dose), any": "factor",
    "~ bs(dose, df=3), any": "curve",
}
pd.Series(
    {name: len(dex.get.rank_genes_df(doses, key=key, padj=0.05)) for name, key in keys.items()}
)

# %% [markdown]
# The true shape finds the most, as it must. The flexible designs pay for what they need not assume.
#
# `groupby="dose"` is another question again: each dose against the mean of the others. The heatmap
# of a slope has its samples in the order of the covariate:

# %%
_ = dex.pl.heatmap(doses, key="per_doubling", n_genes=24)

# %% [markdown]
# ## When there is no answer
#
# Some designs cannot answer. `dex` never makes up a number for them.
#
# **A combination that was not measured.** Without any drug-treated knock-out there is no
# interaction:

# %%
incomplete = factorial[factorial.obs["condition"] != "KO_drug"].copy()
try:
    dex.tl.rank_genes(incomplete, design="~ genotype * treatment")
except DesignError as error:
    print(error)

# %% [markdown]
# **No replicates.** One sample on each side gives a fold change and no p-value: nobody knows how
# much two controls would differ. The column `status` says for each gene why there is no p-value.

# %%
single = adata[["control_1", "treated_1"]].copy()
dex.tl.rank_genes(single, groupby="condition")
dex.get.rank_genes_df(single)[["gene", "log2fc", "pval", "status"]].head(3)

# %% [markdown]
# ## In short
#
# | experiment | call |
# |---|---|
# | two groups | `groupby="condition"` |
# | ... more than two-fold | `groupby="condition", lfc=1` |
# | pairs | `design="~ donor + condition"` |
# | batches | `design="~ batch + condition"` |
# | several groups, one control | `groupby="condition", reference="control"` |
# | several groups, none a control | `groupby="tissue"` |
# | any difference | `groupby="condition", test="any"` |
# | two factors | `design="~ genotype * treatment"`, contrasts by name |
# | dose, time | `design="~ log2(dose + 1)"`; `"~ bs(time, df=3)"` with `test="any"` |
#
# Three questions before you believe a result:
#
# 1. **What is one replicate?** A sample of its own animal, donor or culture. Not a cell, and not a
#    second library of the same RNA.
# 2. **Is anything confounded?** `pd.crosstab(obs["condition"], obs["batch"])` shows it.
# 3. **Which side is positive?** `dex.get.tests_df` says so, and the volcano plot does in words.
#
# Samples with counts are tested by edgeR's quasi-likelihood F test, logs by limma with a trend;
# both lend each gene what all genes tell of the noise. `method=` names others: `"deseq2"`,
# `"limma_voom"`, `"ols"`, ...
