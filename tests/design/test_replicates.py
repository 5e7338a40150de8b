import numpy as np
import pandas as pd
import pytest

from dex.design.replicates import looks_like_clusters, replicate_candidates

N = 120


def candidates(**columns):
    obs = pd.DataFrame({"drug": np.resize(["a", "b"], N), **columns})
    return replicate_candidates(obs, "drug")


@pytest.mark.parametrize(
    "name",
    """donor donor_id Donor DonorID sample sample_id sampleID orig.ident replicate bio_rep
    patient patient.id subject individual animal mouse mouse_id rat fish embryo organoid
    library_id""".split(),  # noqa: SIM905 - a list literal takes a line per name
)
def test_names_of_units(name):
    assert candidates(**{name: np.resize(["u1", "u2", "u3", "u4"], N)}) == (name,)


@pytest.mark.parametrize(
    "name",
    """batch sample_type donor_age mouse_strain n_samples sex patient_status cell_type lane
    replication sample_batch tech_rep case_control
    library_size""".split(),  # noqa: SIM905 - a list literal takes a line per name
)
def test_other_names(name):
    assert candidates(**{name: np.resize(["u1", "u2", "u3", "u4"], N)}) == ()


def test_numbers_and_categories():
    donor = np.resize([1, 2, 3, 4, 5], N)
    assert candidates(donor=donor) == ("donor",)
    assert candidates(donor=pd.Categorical(donor)) == ("donor",)
    assert candidates(donor=donor + 0.5) == ()


def test_shape():
    assert candidates(donor=["d1"] * N) == ()
    assert candidates(donor=[f"d{i}" for i in range(N)]) == ()
    assert candidates(donor=[f"d{i // 5}" for i in range(N)]) == ("donor",)
    assert candidates(sample=np.resize(["s1", "s2"], N)) == ()  # one sample per drug
    assert candidates(donor=np.repeat(["d1", "d2"], N // 2)) == ("donor",)  # crossed
    assert candidates(donor=[None] * N) == ()


def test_several_and_never_groupby():
    obs = pd.DataFrame(
        {"sample": np.repeat(["s1", "s2"], 30), "donor": np.resize(["d1", "d2"], 60)}
    )
    assert replicate_candidates(obs, "sample") == ("donor",)
    assert replicate_candidates(obs.assign(drug=np.resize(["a", "a", "b", "b"], 60)), "drug") == (
        "sample", "donor",
    )  # fmt: skip


@pytest.mark.parametrize(
    "name",
    """leiden leiden_0.5 louvain cluster Clusters seurat_clusters cell_type celltype CellType
    cell.type cell_ontology_class annotation bulk_labels phase majority_voting""".split(),  # noqa: SIM905 - a list literal takes a line per name
)
def test_clusters(name):
    assert looks_like_clusters(name)


@pytest.mark.parametrize("name", ["drug", "condition", "disease", "genotype", "treatment", "day"])
def test_conditions(name):
    assert not looks_like_clusters(name)
