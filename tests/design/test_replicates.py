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
    cell.type cell_ontology_class annotation bulk_labels phase Phase majority_voting
    sub_cluster subcluster
    CellTypist SingleR leiden05 predicted.labels author_cell_type metacluster celltype2""".split(),  # noqa: SIM905 - a list literal takes a line per name
)
def test_clusters(name):
    assert looks_like_clusters(name)


@pytest.mark.parametrize(
    "name",
    """drug condition disease genotype treatment day tumour_subtype subtype treatment_phase phase_2
    identity_status donor_identity clusterin annotated tissue_phase""".split(),  # noqa: SIM905 - as above
)
def test_conditions(name):
    assert not looks_like_clusters(name)


def ages(values, per_unit=20, **columns):
    donor = np.repeat([f"d{i}" for i in range(len(values))], per_unit)
    obs = pd.DataFrame({"donor": donor, "age": np.repeat(values, per_unit), **columns})
    return replicate_candidates(obs, "age")


def test_numbers_of_each_unit():
    assert ages([31.5, 42.0, 53.0]) == ("donor",)
    assert ages([31, 42, 53, 53]) == ("donor",)
    assert ages([31.5, 42.0]) == ()  # two donors make no slope
    assert ages([31.5, 31.5, 31.5]) == ()
    assert ages([31.5, np.nan, 42.0, 53.0]) == ("donor",)
    assert ages(np.arange(30.0) + 20) == ("donor",)


def test_numbers_of_each_cell():
    n = 300
    donor = np.resize(["d1", "d2", "d3"], n)
    obs = pd.DataFrame(
        {"donor": donor, "score": np.arange(n) / 7, "day": np.resize([0, 0, 0, 7], n)}
    )
    assert replicate_candidates(obs, "score") == ()
    assert replicate_candidates(obs, "day") == ("donor",)  # days of the same donors, as groups


def test_many_numbers_take_little_memory():
    n = 20_000
    obs = pd.DataFrame({"donor": np.arange(n) // 5, "x": np.arange(n) // 10 + 0.5})
    assert replicate_candidates(obs, "x") == ("donor",)
