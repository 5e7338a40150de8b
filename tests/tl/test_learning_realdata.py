"""Sex and stimulation are learnt from real samples, and swapped labels are found."""

import numpy as np
import pytest

import dex

pytestmark = pytest.mark.realdata
SWAPPED = {"NA12892_Mont", "NA12815_Cheu"}
"""Called female, with reads of the Y chromosome."""


@pytest.fixture(scope="module")
def lcl(realdata):
    folder = realdata / "hapmap_lcl"
    adata = dex.io.read_counts(folder / "counts.csv.gz", samples=folder / "samples.csv")
    dex.pp.filter_genes(adata, groupby="sex")
    return adata


def test_sex_is_predicted_and_swapped_samples_are_found(lcl):
    dex.tl.classify(lcl, "sex", replicate="individual", n_genes=10, repeats=2, n_permutations=0)
    assert lcl.uns["classify"]["params"]["n_donors"] == 141  # 29 of them in two studies
    assert lcl.uns["classify"]["metrics"]["auc"] > 0.98
    lowest = lcl.obs["classify_own"].nsmallest(4)
    assert lowest.index[0] == "NA12892_Mont"
    assert lowest.iloc[0] < 0.05
    assert set(lowest.index) >= SWAPPED  # the other has but some of the reads of a man


def test_few_genes_tell_sex(lcl):
    model = dex.tl.signature(lcl, "sex", replicate="individual", method="t-test", repeats=1)
    assert len(model.genes) <= 5
    assert model.genes[0] == "ENSG00000129824"  # RPS4Y1
    assert lcl.uns["signature"]["metrics"]["auc"] > 0.98
    assert set(lcl.obs_names[lcl.obs["signature_own"] < 0.5]) == SWAPPED


def test_sex_is_told_in_a_study_from_the_others(lcl):
    dex.tl.classify(lcl, "sex", replicate="individual", cv="study", n_genes=10, n_permutations=0)
    assert lcl.uns["classify"]["fold_auc"].shape == (1, 3)
    assert lcl.uns["classify"]["fold_auc"].min() > 0.95


def test_stimulation_is_predicted_across_donors(realdata):
    folder = realdata / "macrophage"
    adata = dex.io.read_counts(folder / "counts.csv.gz", samples=folder / "samples.csv")
    adata = adata[adata.obs["condition_name"].isin(["naive", "IFNg"])].copy()
    dex.pp.filter_genes(adata, groupby="condition_name")
    model = dex.tl.classify(
        adata,
        "condition_name",
        replicate="line_id",
        reference="naive",
        repeats=1,
        n_permutations=63,
        n_genes=20,
    )
    entry = adata.uns["classify"]
    assert entry["metrics"]["auc"] == 1.0
    assert entry["permutation"]["n_possible"] == 64
    assert entry["metrics"]["pval"] <= 2 / 64 + 1e-9  # all labels turned are as good
    known = {"ENSG00000169245", "ENSG00000125347", "ENSG00000115415"}  # CXCL10, IRF1, STAT1
    ids = {name.partition(".")[0] for name in model.background}
    assert known <= ids
    chosen = adata.var["classify_frequency"].to_numpy()
    top = adata.var_names[np.argsort(-chosen)][:100]
    assert len({name.partition(".")[0] for name in top} & known) >= 1
