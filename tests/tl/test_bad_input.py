"""What cannot be used is refused in words that help, and ``adata`` is as it was."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData, read_h5ad
from scipy import sparse

import dex
from dex.errors import DesignError, FormulaError, InputError

METHODS = ("t-test", "wilcoxon", "ols")


@pytest.fixture(params=["nothing", "a result"])
def earlier(request, samples):
    """Samples, with or without a result that a failed call must leave alone."""
    if request.param == "a result":
        dex.tl.rank_genes(samples, "condition", method="t-test")
    return samples


@pytest.fixture
def refuses(unchanged):
    """Ranking raises the error, its message holds all the words, ``adata`` is unchanged."""

    def check(adata, *words, error=InputError, **options):
        with unchanged(adata), pytest.raises(error) as raised:
            dex.tl.rank_genes(adata, **options)
        message = str(raised.value)
        missing = [word for word in words if word not in message]
        assert not missing, f"{missing} not in: {message}"

    return check


def as_form(adata, form):
    if form != "dense":
        adata.X = {"csr": sparse.csr_matrix, "csc": sparse.csc_matrix}[form](adata.X)


# Values


@pytest.mark.parametrize("form", ["dense", "csr", "csc"])
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("bad", "shown"), [(np.nan, "nan"), (np.inf, "inf"), (-np.inf, "-inf"), (-3.0, "-3")]
)
def test_counts_that_are_no_counts(earlier, refuses, bad, shown, method, form):
    earlier.X = earlier.X.astype(float)
    earlier.X[4, [20, 31]] = earlier.X[2, 31] = bad
    as_form(earlier, form)
    words = ("X has 3 values", f"the first is {shown}", "gene 'gene0021'", "'control_5'", "drop")
    refuses(earlier, *words, groupby="condition", method=method)


def test_one_value_is_one_value(samples, refuses):
    samples.X[9, 59] = np.nan
    refuses(samples, "X has 1 value ", "gene 'gene0060' in 'treated_5'", groupby="condition")


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("method", METHODS)
def test_logs_that_are_not_finite(logs, refuses, bad, method):
    logs.X[3, 8] = bad
    words = ("X has 1 value not finite", "the first is", "'control_4'")
    refuses(logs, *words, groupby="condition", method=method, scale="logcpm")


def test_bad_values_in_a_layer_are_named_with_it(samples, refuses):
    samples.layers["raw"] = samples.X.astype(float)
    samples.layers["raw"][0, 0] = np.nan
    refuses(samples, "layers['raw'] has 1 value", groupby="condition", layer="raw")


def test_bad_values_in_other_observations_do_not_matter(logs, column):
    logs.X[0] = np.nan
    labels = logs.obs["condition"].astype(object)
    labels.iloc[0] = None
    logs.obs["condition"] = pd.Categorical(labels)
    dex.tl.rank_genes(logs, "condition", method="t-test", scale="logcpm")
    assert np.isfinite(column(logs, "pval")).all()


def test_bad_values_in_genes_left_out_do_not_matter(logs, column):
    logs.X[0, 5] = np.nan
    mask = np.arange(logs.n_vars) != 5
    dex.tl.rank_genes(logs, "condition", method="t-test", scale="logcpm", mask_var=mask)
    assert np.isfinite(column(logs, "pval")[mask]).all()


def test_counts_of_genes_left_out_are_in_the_totals(samples, refuses):
    """The library sizes need every gene: the advice must not be mask_var=."""
    samples.X[0, 5] = np.nan
    mask = np.arange(60) != 5
    with pytest.raises(InputError) as error:
        dex.tl.rank_genes(samples, "condition", method="t-test", mask_var=mask)
    assert "gene 'gene0006'" in str(error.value)
    assert "mask_var" not in str(error.value)


def test_negative_logs_need_a_word(samples, log_cpm, refuses):
    samples.X = log_cpm(samples.X) - 15
    refuses(samples, "X holds negative values", "scale='logcpm'", groupby="condition")


def test_a_sample_without_counts(samples, refuses):
    samples.X[6] = 0
    words = ("1 of 10 samples have no counts at all in X", "'treated_2'", "drop")
    refuses(samples, *words, groupby="condition")


def test_cells_without_counts_stay(cells, column):
    X = cells.X.tolil()
    X[5] = 0
    cells.X = X.tocsr()
    dex.tl.rank_genes(cells, "condition", method="t-test", replicate=None)
    assert np.isfinite(column(cells, "pval")).any()


@pytest.mark.parametrize("shape", [(0, 5), (5, 0)])
def test_nothing_to_test(refuses, shape):
    adata = dex.datasets.simulate_counts(5, n_per_group=3)[: shape[0], : shape[1]].copy()
    refuses(adata, f"{shape[0]} observations and {shape[1]} genes", groupby="condition")


def test_no_matrix(samples, refuses):
    empty = AnnData(obs=samples.obs, var=samples.var)
    refuses(empty, "adata.X is empty", "layer=", groupby="condition")
    empty.layers["counts"] = samples.X
    refuses(empty, "adata.X is empty", "'counts'", groupby="condition")
    dex.tl.rank_genes(empty, "condition", layer="counts", method="wilcoxon")


# Groups


@pytest.mark.parametrize("method", METHODS)
def test_one_group(samples, refuses, method):
    one = samples[:5].copy()
    words = ("obs['condition'] has one group only, 'control'", "needs two")
    refuses(one, *words, groupby="condition", method=method)


@pytest.mark.parametrize("method", METHODS)
def test_a_column_that_is_not_there(earlier, refuses, method):
    words = ("groupby='conditon' is not in obs", "'batch'", "Did you mean 'condition'?")
    refuses(earlier, *words, groupby="conditon", method=method)


@pytest.mark.parametrize("method", METHODS)
def test_a_reference_that_is_not_there(earlier, refuses, method):
    words = ("reference='contrl' is not in obs['condition']", "'treated'", "mean 'control'?")
    refuses(earlier, *words, groupby="condition", reference="contrl", method=method)


@pytest.mark.parametrize("method", METHODS)
def test_a_group_that_is_not_there(three_groups, refuses, method):
    words = ("groups='d' is not in obs['condition']", "'a', 'b', 'c'")
    refuses(three_groups, *words, groupby="condition", groups=["a", "d"], method=method)


@pytest.mark.parametrize("method", METHODS)
def test_a_contrast_that_is_not_there(three_groups, refuses, method):
    contrast = ("condition", "d", "a")
    options = {"contrasts": contrast, "method": method}
    if method == "ols":
        options["design"] = "~ condition"
    refuses(three_groups, "'d'", "'a', 'b', 'c'", **options)


@pytest.mark.parametrize("method", METHODS)
def test_labels_that_are_all_missing(samples, refuses, method):
    samples.obs["none"] = pd.Categorical([None] * 10, categories=["a", "b"])
    refuses(samples, "obs['none'] holds missing values only", groupby="none", method=method)


@pytest.mark.parametrize("method", METHODS)
def test_a_category_without_observations_is_no_group(samples, refuses, method):
    samples.obs["condition"] = samples.obs["condition"].cat.add_categories("other")
    refuses(samples, "reference='other'", groupby="condition", reference="other", method=method)


@pytest.mark.parametrize("method", METHODS)
def test_numbers_are_no_groups(samples, refuses, method):
    words = ("groupby='true_size_factor' is continuous", "design='~ true_size_factor'")
    refuses(samples, *words, groupby="true_size_factor", method=method)


@pytest.mark.parametrize("method", METHODS)
def test_one_observation_in_each_group(samples, column, method):
    two = samples[[0, 9]].copy()
    dex.tl.rank_genes(two, "condition", method=method)
    assert np.isnan(column(two, "pval")).all()
    assert np.isfinite(column(two, "log2fc")).any()
    assert set(dex.get.rank_genes_df(two)["status"]) == {"no_replicates", "all_zero"}


def test_nothing_asked(samples, refuses):
    refuses(samples, "groupby=", "contrasts=")


def test_pairs_without_a_block(samples, refuses):
    words = ("needs block=", "'batch'")
    refuses(samples, *words, groupby="condition", method="t-test-paired")


def test_strata_that_are_no_strata(samples, refuses):
    options = {"groupby": "condition", "method": "wilcoxon"}
    samples.obs["nobody"] = pd.Categorical([None] * 10, categories=["a"])
    refuses(samples, "missing values only", block="nobody", **options)
    words = ("'true_size_factor' is continuous (30 different numbers)", "method='ols'")
    many = dex.datasets.simulate_counts(20, n_per_group=15, seed=2)
    refuses(many, *words, block="true_size_factor", **options)


def test_weights_are_of_strata_and_not_of_pairs(samples, refuses):
    options = {"method": "t-test-paired", "block": "batch", "weights": "design-free"}
    refuses(samples, "weights='design-free'", "strata", groupby="condition", **options)


def test_pairs_that_are_no_pairs(samples, refuses):
    words = ("3 observations", "method='ols'")
    options = {"groupby": "condition", "method": "t-test-paired", "block": "batch"}
    refuses(samples, *words, error=DesignError, **options)


# Names


def test_gene_names_that_are_shared(samples, column, caplog):
    dex.tl.rank_genes(samples.copy(), "condition", method="t-test")
    names = samples.var_names.tolist()
    names[1] = names[40] = names[0]
    unnamed = samples.copy()
    unnamed.var_names = names
    caplog.clear()
    dex.tl.rank_genes(unnamed, "condition", method="t-test")
    dex.tl.rank_genes(samples, "condition", method="t-test")
    np.testing.assert_array_equal(column(unnamed, "stat"), column(samples, "stat"))
    assert "stand for several genes (1 in all, the first is 'gene0001')" in caplog.text
    assert "var_names_make_unique()" in caplog.text


@pytest.mark.filterwarnings("ignore:Observation names are not unique:UserWarning")
def test_observation_names_that_are_shared(samples, column):
    dex.tl.rank_genes(samples, "condition", design="~ batch + condition", method="ols")
    expected = column(samples, "stat").copy()
    samples.obs_names = ["same"] * 10
    dex.tl.rank_genes(samples, "condition", design="~ batch + condition", method="ols")
    np.testing.assert_array_equal(column(samples, "stat"), expected)


def test_a_gene_called_na(samples, column):
    samples.var_names = ["NA", "nan", *samples.var_names[2:]]
    dex.tl.rank_genes(samples, "condition", method="t-test")
    assert {"NA", "nan"} <= set(dex.get.rank_genes_df(samples)["gene"])


# Designs


def test_a_confounded_design(samples, refuses):
    samples.obs["batch"] = pd.Categorical(["x"] * 5 + ["y"] * 5)
    words = (
        "'treated vs control' cannot be estimated from design='~ batch + condition'",
        "'condition[T.treated]' = 'batch[T.y]'",
        "Observations per level",
    )
    options = {"groupby": "condition", "design": "~ batch + condition"}
    refuses(samples, *words, error=DesignError, **options)


def test_a_design_with_more_columns_than_samples(samples, refuses):
    samples.obs["animal"] = [f"m{i}" for i in range(10)]
    words = ("11 coefficients for 10 observations",)
    options = {"groupby": "condition", "design": "~ animal + condition"}
    refuses(samples, *words, error=DesignError, **options)


def test_a_rank_deficient_design_is_told_where_it_hurts(samples, column):
    samples.obs["copy"] = samples.obs["batch"].to_numpy()
    dex.tl.rank_genes(samples, "condition", design="~ batch + condition", key_added="one")
    dex.tl.rank_genes(samples, "condition", design="~ batch + copy + condition")
    np.testing.assert_allclose(
        column(samples, "stat"), column(samples, "stat", "one"), rtol=1e-9, atol=1e-11
    )
    with pytest.raises(DesignError, match=r"copy"):
        dex.tl.rank_genes(samples, "copy", design="~ batch + copy + condition")


@pytest.mark.parametrize(
    ("design", "word"),
    [
        ("~ print(1)", "print"),
        ("~ __import__('os').system('true')", "__import__"),
        ("~ condition + dex", "'dex'"),
        ("~ condition + np", "'np'"),
        ("~ conditon", "condition"),
        ("~ condition + open('x')", "open"),
        ("~ (lambda: 1)()", "lambda"),
        ("~ batch.__class__", "batch"),
        ("~ condition +", "condition"),
        ("~ [x for x in batch]", "for"),
    ],
)
def test_dangerous_or_unknown_names_in_a_formula(samples, refuses, capsys, design, word):
    refuses(samples, word, error=FormulaError, design=design)
    assert capsys.readouterr().out == ""


def test_an_unknown_name_lists_the_columns(samples, refuses):
    words = ("'dex'", "'condition'", "'batch'")
    refuses(samples, *words, error=FormulaError, design="~ condition + dex")


def test_the_factor_has_to_be_in_the_design(samples, refuses):
    words = ("groupby='condition' is not in design='~ batch'", "'~ batch + condition'")
    refuses(samples, *words, groupby="condition", design="~ batch")


@pytest.mark.parametrize("method", ["t-test", "t-test-student", "wilcoxon"])
def test_ranks_and_t_tests_take_no_design(samples, refuses, method):
    words = ("design='~ batch + condition'", "covariates", "method='ols'")
    options = {"groupby": "condition", "design": "~ batch + condition", "method": method}
    refuses(samples, *words, **options)


def test_covariates_with_missing_values_leave_observations_out(samples, column, caplog):
    age = np.linspace(20, 60, 10) ** 1.1
    age[[2, 7]] = np.nan
    samples.obs["age"] = age
    dex.tl.rank_genes(samples, "condition", design="~ age + condition")
    assert "2 of 10 observations miss 'age' and were left out." in caplog.messages
    fewer = samples[~np.isnan(age)].copy()
    dex.tl.rank_genes(fewer, "condition", design="~ age + condition")
    np.testing.assert_array_equal(column(samples, "stat"), column(fewer, "stat"))


# Options


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ({"method": "wilcox"}, ("method='wilcox' is not known", "'auto'", "'wilcoxon'", "'ols'")),
        ({"method": None}, ("method=None is not known",)),
        ({"padj_method": "BH"}, ("padj_method='BH' is not known", "'fdr_bh'")),
        ({"padj_scope": "all"}, ("padj_scope='all' is not known", "'test', 'global'")),
        ({"vcov": "HC0", "method": "ols"}, ("vcov='HC0' is not known", "'classical', 'HC3'")),
        ({"vcov": "HC3", "method": "t-test"}, ("vcov='HC3' goes with method='ols'",)),
        ({"lfc": -1}, ("lfc=-1 is not a threshold",)),
        ({"lfc": np.nan}, ("lfc=nan is not a threshold",)),
        ({"lfc": np.inf}, ("lfc=inf is not a threshold",)),
        ({"lfc": "1"}, ("lfc='1' is not a threshold",)),
        ({"lfc": 1, "method": "wilcoxon"}, ("lfc=1", "Wilcoxon", "method='ols'")),
        ({"lfc": 1, "test": "any", "method": "ols"}, ("lfc=1", "F test", "test='each'")),
        ({"test": "all"}, ("test='all' is not known", "'each' or 'any'")),
        ({"block": "batch", "method": "ols"}, ("'ols' has no use of it", "'~ batch + ...'")),
        ({"block": "batch"}, ("block=", "'edger' has no use of it")),
        ({"block": "batch", "method": "t-test"}, ("'t-test' has no use", "method='wilcoxon'")),
        ({"block": "condition", "method": "wilcoxon"}, ("block='condition' is the column",)),
        ({"block": "bacth", "method": "wilcoxon"}, ("block='bacth' is not in obs", "'batch'?")),
        ({"block": "batch", "method": "wilcoxon", "test": "any"}, ("Kruskal", "not stratified")),
        ({"alternative": "up"}, ("alternative='up' is not known", "'greater', 'less'")),
        ({"alternative": "less", "test": "any", "method": "t-test"}, ("Welch", "has no side")),
        ({"alternative": "less", "test": "any"}, ("F test", "has no side")),
        ({"alternative": "less", "test": "any", "method": "wilcoxon"}, ("Kruskal", "no side")),
        ({"continuity": "yes", "method": "wilcoxon"}, ("continuity='yes'", "False, True")),
        ({"continuity": True, "method": "t-test"}, ("not the Welch's", "method='wilcoxon'")),
        ({"continuity": True, "method": "wilcoxon", "test": "any"}, ("not the Kruskal-Wallis",)),
        ({"weights": "equal"}, ("weights='equal' is not known", "'optimal', 'design-free'")),
        ({"weights": "design-free", "method": "wilcoxon"}, ("are of strata", "block=")),
        ({"n_threads": 0}, ("n_threads=0", "1 or more")),
        ({"n_threads": -2}, ("n_threads=-2",)),
        ({"n_threads": 1.5}, ("n_threads=1.5",)),
        ({"n_threads": "2"}, ("n_threads='2'",)),
        ({"scale": "log"}, ("scale='log' is not known", "'ln1p'", "'counts'")),
        ({"unit": "cell"}, ("unit='cell' is not known", "'cells' or 'samples'")),
        ({"layer": "raw"}, ("layer='raw' is not in adata.layers", "layer=None is X")),
        ({"key_added": "a/b"}, ("key_added='a/b'", "without '/'")),
        ({"key_added": ""}, ("key_added=''",)),
        ({"mask_var": "hvg"}, ("mask_var='hvg' is not in adata.var", "'is_de'")),
        ({"mask_var": "true_mean"}, ("mask_var", "True or False", "60 genes")),
        ({"mask_var": [True, False]}, ("mask_var has shape (2,)", "60 genes")),
        ({"mask_var": np.ones(60)}, ("mask_var", "float64")),
        ({"mask_var": np.zeros(60, bool)}, ("mask_var leaves no gene",)),
        ({"replicate": "donor"}, ("replicate='donor' is not in obs", "'batch'")),
        ({"groups": "nobody"}, ("groups='nobody' is not in obs['condition']",)),
        ({"reference": 3}, ("reference='3' is not in obs['condition']",)),
        ({"groupby": ["condition"]}, ("groupby=['condition'] must be the name of one column",)),
        ({"contrasts": "treated - nobody", "design": "~ condition"}, ("nobody",)),
    ],
    ids=str,
)
def test_options(earlier, refuses, option, words):
    refuses(earlier, *words, **({"groupby": "condition"} | option))


def test_a_threshold_on_linear_values_is_none_in_log2(samples, refuses):
    samples.layers["raw"] = samples.X.copy()
    options = {"groupby": "condition", "layer": "raw", "scale": "linear"}
    options |= {"method": "t-test", "lfc": 1}
    refuses(samples, "lfc=1", "log2", "layers['raw'] is not on a log scale", **options)


def test_a_mask_with_missing_values(samples, refuses):
    samples.var["keep"] = pd.array([True, None] * 30, dtype="boolean")
    refuses(samples, "mask_var", "True or False", groupby="condition", mask_var="keep")


def test_a_nullable_mask_without_missing_values(samples, column):
    samples.var["keep"] = pd.array([True, False] * 30, dtype="boolean")
    dex.tl.rank_genes(samples, "condition", method="t-test", mask_var="keep")
    assert np.isnan(column(samples, "stat")[1::2]).all()


# Interruption


PLACES = {
    "t-test": "dex.tl._two_sample.group_moments",
    "wilcoxon": "dex.tl._strata.rank_sum_test",
    "ols": "dex.tl._linear.lm_fit",
}


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError])
@pytest.mark.parametrize("method", PLACES)
def test_an_interruption_in_the_middle(
    earlier, unchanged, monkeypatch, small_blocks, method, error
):
    calls = []

    def interrupted(*_args, **_kwargs):
        calls.append(1)
        raise error

    monkeypatch.setattr(PLACES[method], interrupted)
    with unchanged(earlier), pytest.raises(error):
        dex.tl.rank_genes(earlier, "condition", method=method, n_threads=2)
    assert calls


def test_an_interruption_while_p_is_adjusted(earlier, unchanged, monkeypatch):
    def interrupted(*_args, **_kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("dex.tl._finish.adjust_columns", interrupted)
    with unchanged(earlier), pytest.raises(KeyboardInterrupt):
        dex.tl.rank_genes(earlier, "condition")


def test_a_view_stays_a_view_if_the_call_fails(samples, unchanged):
    view = samples[:, :20]
    with unchanged(samples), pytest.raises(InputError):
        dex.tl.rank_genes(view, "nobody")
    assert view.is_view


def test_a_view_of_a_file_is_refused_before_anything_is_computed(samples, monkeypatch, tmp_path):
    samples.write_h5ad(tmp_path / "samples.h5ad")
    backed = read_h5ad(tmp_path / "samples.h5ad", backed="r")
    monkeypatch.setattr("dex.tl._rank_genes.analyse", None)
    with pytest.raises(InputError, match=r"view of a backed file.*to_memory\(\)"):
        dex.tl.rank_genes(backed[:, :20], "condition")
    backed.file.close()
