"""``method="auto"``: by what a row is, and by what is known of replicates."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import dex


def decided(adata, key="rank_genes"):
    params = adata.uns[key]["params"]
    return params["method"], params["unit"], params.get("replicate"), params["scale"]


def with_column(cells, **columns):
    """The cells with these columns in place of ``replicate``."""
    cells.obs = cells.obs.drop(columns="replicate").assign(**columns)
    return cells


@pytest.fixture
def donors(cells):
    return cells.obs["replicate"].astype(str).to_numpy()


def test_samples_of_counts(samples, caplog):
    dex.tl.rank_genes(samples, "condition")
    assert decided(samples) == ("edger", "samples", None, "logcpm")
    words = "these are samples with counts, so edgeR's quasi-likelihood F test."
    assert f"method='auto': {words}" in caplog.messages
    assert "method='auto'" in samples.uns["rank_genes"]["notes"][0]


def test_samples_of_logs(logs):
    dex.tl.rank_genes(logs, "condition", scale="logcpm")
    assert decided(logs) == ("limma", "samples", None, "logcpm")
    np.testing.assert_array_less(0, logs.varm["rank_genes_log2fc_se"])


def test_samples_of_logs_beside_their_counts(samples, caplog):
    samples.layers["counts"] = samples.X.copy()
    samples.X = np.log1p(samples.X)
    dex.tl.rank_genes(samples, "condition")
    assert decided(samples) == ("edger", "samples", None, "logcpm")
    assert "counts are taken from layers['counts']" in caplog.text
    dex.pp.normalize(samples)
    dex.tl.rank_genes(samples, "condition", layer="logcpm")
    assert decided(samples) == ("limma", "samples", None, "logcpm")


def test_many_dense_observations_are_samples():
    many = dex.datasets.simulate_counts(30, n_per_group=60, seed=0)
    dex.tl.rank_genes(many, "condition")
    assert decided(many)[:2] == ("edger", "samples")


def test_few_sparse_observations_are_samples(cells):
    dex.tl.rank_genes(cells[::2].copy(), "condition", key_added="few")
    few = cells[::2].copy()
    assert few.n_obs < 100
    dex.tl.rank_genes(few, "condition")
    assert decided(few)[:2] == ("edger", "samples")


def test_clusters_of_cells(cells, caplog):
    cells.obs["leiden"] = pd.Categorical(np.arange(150) % 3)
    dex.tl.rank_genes(cells, "leiden")
    assert decided(cells) == ("wilcoxon", "cells", None, "ln1p")
    assert "p-values of cells are exploratory" in caplog.text
    assert not [record for record in caplog.records if record.levelname == "WARNING"]


def test_conditions_of_cells_with_one_obvious_replicate(cells, donors, caplog):
    with_column(cells, donor_id=donors)
    dex.tl.rank_genes(cells, "condition")
    assert decided(cells) == ("edger", "samples", "donor_id", "logcpm")
    assert "their counts are added up by obs['donor_id']" in caplog.text
    assert "replicate= names another column, or None" in caplog.text
    assert cells.uns["rank_genes"]["tests"]["n_group"].tolist() == [3]


def test_the_simulators_own_replicates(cells):
    dex.tl.rank_genes(cells, "condition")
    assert decided(cells)[2] == "replicate"


def test_conditions_of_cells_that_are_told_to_be_units(cells, caplog):
    dex.tl.rank_genes(cells, "condition", replicate=None)
    assert decided(cells) == ("wilcoxon", "cells", None, "ln1p")
    assert not [record for record in caplog.records if record.levelname == "WARNING"]


def test_two_columns_that_may_be_replicates(cells, donors, caplog):
    parts = [f"{name} {i % 2}" for i, name in enumerate(donors)]
    with_column(cells, donor=donors, sample_id=parts)
    dex.tl.rank_genes(cells, "condition")
    assert decided(cells) == ("wilcoxon", "cells", None, "ln1p")
    (warning,) = (record for record in caplog.records if record.levelname == "WARNING")
    assert "'donor', 'sample_id'" in warning.message
    assert "replicate='donor'" in warning.message


def test_two_columns_that_make_the_same_samples(cells, donors, caplog):
    """Donors in both conditions, and samples of a donor in one."""
    donor = [name.split("_")[-1] for name in donors]
    with_column(cells, sample_id=donors, donor=donor)
    dex.tl.rank_genes(cells, "condition")
    assert decided(cells) == ("edger", "samples", "donor", "logcpm")
    assert "design='~ donor + condition' compares within each" in caplog.text
    caplog.clear()
    dex.tl.rank_genes(cells, "condition", replicate="sample_id")
    assert "Every level of 'donor' has samples of all 'condition'" in caplog.text
    caplog.clear()
    dex.tl.rank_genes(cells, "condition", design="~ donor + condition", replicate="sample_id")
    assert "has samples of all" not in caplog.text
    assert dex.get.params(cells)["design_columns"].tolist()[-1] == "condition[T.treated]"


@pytest.mark.parametrize("crossed", [False, True])
def test_what_silences_the_warning(crossed, caplog):
    """Once for every cell-wise test by name; ``block=`` is no answer, ``replicate=`` is."""
    adata = dex.datasets.simulate_counts(
        60, 3, cells_per_replicate=40, paired=crossed, mean_count=0.3, seed=5
    )
    warned = {}
    for name, options in {
        "wilcoxon": {"method": "wilcoxon"},
        "t-test": {"method": "t-test"},
        "block": {"method": "wilcoxon", "block": "replicate"},
        "design": {"method": "ols", "design": "~ true_size_factor + condition"},
        "None": {"method": "wilcoxon", "replicate": None},
        "replicate": {"method": "wilcoxon", "replicate": "replicate"},
        "auto": {},
        "per": {"method": "wilcoxon", "per": "type"},
    }.items():
        adata.obs["type"] = np.where(np.arange(adata.n_obs) % 2, "a", "b")
        caplog.clear()
        dex.tl.rank_genes(adata, "condition", **options)
        warned[name] = sum(record.levelname == "WARNING" for record in caplog.records)
    silent = {"None", "replicate", "auto"}
    assert warned == {name: int(name not in silent) for name in warned}


def test_no_column_that_may_be_a_replicate(cells):
    with_column(cells, batch=np.arange(150) % 2)
    dex.tl.rank_genes(cells, "condition")
    assert decided(cells)[:3] == ("wilcoxon", "cells", None)


def test_a_method_that_is_named_is_run_on_cells_with_a_warning(cells, caplog):
    dex.tl.rank_genes(cells, "condition", method="t-test")
    assert decided(cells)[:3] == ("t-test", "cells", None)
    assert "Cells are tested as if each were a replicate" in caplog.text


def test_a_replicate_that_is_named(cells, donors):
    with_column(cells, batch=donors)
    dex.tl.rank_genes(cells, "condition", replicate="batch")
    assert decided(cells)[:3] == ("edger", "samples", "batch")
    dex.tl.rank_genes(cells, "condition", replicate="batch", method="wilcoxon")
    assert decided(cells)[:3] == ("wilcoxon", "samples", "batch")


def test_cells_with_a_design(cells):
    dex.tl.rank_genes(cells, design="~ condition", replicate=None)
    assert decided(cells) == ("ols", "cells", None, "ln1p")


@pytest.mark.parametrize(
    "question",
    [
        {"design": "~ condition"},
        {"design": "~ replicate_age + condition"},
        {"design": "~ condition", "contrasts": "treated - control"},
        {"design": "~ condition", "contrasts": ("condition", "treated", "control")},
    ],
    ids=str,
)
def test_a_design_alone_finds_the_replicates(cells, question):
    cells.obs["replicate_age"] = cells.obs["replicate"].cat.codes.to_numpy() ** 1.5
    dex.tl.rank_genes(cells, **question)
    assert decided(cells) == ("edger", "samples", "replicate", "logcpm")


def test_a_covariate_of_cells_alone_has_no_replicates_to_find(cells):
    dex.tl.rank_genes(cells, design="~ true_size_factor")
    assert decided(cells)[:3] == ("ols", "cells", None)


@pytest.mark.parametrize(("unit", "method"), [("samples", "edger"), ("cells", "wilcoxon")])
def test_the_unit_may_be_said(cells, unit, method):
    dex.tl.rank_genes(cells, "condition", unit=unit, replicate=None)
    assert decided(cells)[:2] == (method, unit)


@pytest.mark.parametrize(
    "question",
    [
        {"groupby": "condition"},
        {"design": "~ condition"},
        {"design": "~ part + condition"},
        {"contrasts": ("condition", "treated", "control")},
        {"contrasts": [("condition", "treated", "control")]},
        {"contrasts": {"effect": ("condition", "treated", "control")}},
        {"contrasts": "treated - control", "design": "~ condition + cell_type"},
        {"contrasts": [0, 0, 1], "design": "~ cell_type + condition"},
        {"design": "~ age"},
    ],
)
def test_replicates_are_found_however_the_question_is_put(cells, question):
    codes = cells.obs["replicate"].astype("category").cat.codes.to_numpy()
    half = np.where(np.arange(cells.n_obs) % 2, "a", "b")
    cells.obs = cells.obs.assign(age=40.0 + codes, cell_type=half, part=half)
    dex.tl.rank_genes(cells, **question)
    assert decided(cells)[2] == "replicate"


def test_many_observations_that_are_not_sparse_are_warned_of(cells, caplog):
    dense = cells.copy()
    dense.X = cells.X.toarray() + 1.0
    dex.tl.rank_genes(dense, "condition")
    assert decided(dense)[:2] == ("edger", "samples")
    assert "Observations are tested as if each were a replicate of 'condition'" in caplog.text
