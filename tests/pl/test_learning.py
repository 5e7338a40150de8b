"""Pictures of what has been learnt: what is drawn is what is in the result."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier

import dex
from dex.errors import InputError


@pytest.fixture(scope="module")
def learnt():
    adata = dex.datasets.simulate_counts(120, n_per_group=10, log2fc_sd=0.5, dispersion=0.3, seed=3)
    dex.tl.classify(adata, "condition", n_permutations=19, repeats=2, n_genes=10)
    dex.tl.signature(adata, "condition", sizes=(1, 2, 5), repeats=1, n_subsamples=10)
    adata.obs["age"] = np.arange(20.0)
    dex.tl.regress(adata, "age", n_permutations=9, repeats=1, n_genes=10)
    return adata


@pytest.fixture(scope="module")
def several():
    adata = dex.datasets.simulate_counts(100, n_per_group=5, groups=("a", "b", "c"), seed=3)
    dex.tl.classify(adata, "condition", n_permutations=5, repeats=1, n_genes=10)
    return adata


def words(ax):
    return " ".join(text.get_text() for text in ax.texts)


def lines(ax, label):
    return [line for line in ax.lines if line.get_label() == label]


def test_curves_are_the_folds_their_mean_and_chance(learnt):
    ax = dex.pl.roc(learnt)
    curves = learnt.uns["classify"]["curves"]["roc"]
    assert len(lines(ax, "_fold")) == len(curves) == 10
    (mean,) = lines(ax, "treated against control")
    np.testing.assert_allclose(mean.get_ydata(), curves.mean(axis=0))
    (chance,) = lines(ax, "_chance")
    np.testing.assert_array_equal(chance.get_xydata(), [[0, 0], [1, 1]])
    assert f"AUC {learnt.uns['classify']['metrics']['auc']:.3f}" in words(ax)


def test_area_under_the_mean_curve_is_the_mean_area(learnt):
    entry = learnt.uns["classify"]
    area = np.trapezoid(entry["curves"]["roc"].mean(axis=0), entry["curves"]["grid"])
    assert area == pytest.approx(entry["metrics"]["auc"], abs=0.01)  # of steps of a hundredth


def test_chance_of_precision_is_the_share_of_the_class(learnt):
    ax = dex.pl.precision_recall(learnt)
    (chance,) = lines(ax, "_chance")
    assert set(chance.get_ydata()) == {0.5}


def test_several_classes_have_a_curve_each(several):
    for plot in (dex.pl.roc, dex.pl.precision_recall):
        ax = plot(several)
        assert [t.get_text() for t in ax.get_legend().get_texts()] == ["a", "b", "c"]
    assert len(dex.pl.confusion(several).texts) >= 9


def test_calibration_shows_the_bins(learnt):
    ax = dex.pl.calibration_curve(learnt)
    bins = learnt.uns["classify"]["curves"]["calibration"]
    points = ax.containers[0].lines[0].get_xydata()
    np.testing.assert_allclose(points, np.column_stack([bins["predicted"], bins["observed"]]))


def test_confusion_counts_everybody(learnt):
    ax = dex.pl.confusion(learnt)
    counts = [int(text.get_text().split("\n")[0]) for text in ax.texts[:4]]
    assert sum(counts) == 20
    assert [label.get_text() for label in ax.get_yticklabels()] == ["control", "treated"]


@pytest.mark.parametrize(("key", "name"), [("classify", "AUC"), ("regress", "concordance")])
def test_null_shows_all_permutations(learnt, key, name):
    ax = dex.pl.permutation_null(learnt, key=key)
    null = learnt.uns[key]["permutation"]
    assert sum(bar.get_height() for bar in ax.patches) == len(null["values"])
    (observed,) = lines(ax, "observed")
    assert observed.get_xdata()[0] == null["observed"]
    assert ax.get_xlabel() == name


def test_without_permutations_there_is_no_null(learnt):
    adata = learnt.copy()
    dex.tl.classify(adata, "condition", n_permutations=0, repeats=1, key_added="none")
    with pytest.raises(InputError, match="n_permutations=200"):
        dex.pl.permutation_null(adata, key="none")


def test_importance_names_the_genes_of_the_model(learnt):
    ax = dex.pl.importance(learnt, n_genes=5)
    names = [label.get_text() for label in ax.get_yticklabels()]
    assert names == dex.get.signature_df(learnt, "classify")["gene"].head(5).tolist()
    learnt.var["symbol"] = [f"SYM{j}" for j in range(learnt.n_vars)]
    ax = dex.pl.importance(learnt, n_genes=5, gene_symbols="symbol")
    assert all(label.get_text().startswith("SYM") for label in ax.get_yticklabels())


def test_importances_of_trees_have_no_direction(learnt):
    assert "higher in treated" in words(dex.pl.importance(learnt))
    adata = learnt.copy()
    forest = RandomForestClassifier(n_estimators=5, random_state=0)
    dex.tl.classify(adata, "condition", estimator=forest, n_permutations=0, repeats=1, n_genes=10)
    ax = dex.pl.importance(adata)
    assert ax.get_xlabel() == "importance"
    assert "higher in" not in words(ax)


def test_panel_size_rings_the_size_chosen(learnt):
    ax = dex.pl.panel_size(learnt)
    (ring,) = lines(ax, "chosen")
    assert ring.get_xdata()[0] == learnt.uns["signature"]["params"]["n_genes"]
    (curve,) = lines(ax, "AUC")
    np.testing.assert_array_equal(curve.get_xdata(), [1, 2, 5])


def test_stability_colours_the_panel(learnt):
    ax = dex.pl.stability(learnt)
    entry = learnt.uns["signature"]
    assert len(ax.lines) == len(entry["path"]["genes"]) + 1
    named = {line.get_label() for line in ax.lines} - {"_other", "_threshold"}
    assert named == set(entry["panel"])


def test_what_is_not_there_is_named(learnt):
    with pytest.raises(InputError, match="it has 'classify', 'signature'"):
        dex.pl.roc(learnt, key="nothing")
    with pytest.raises(InputError, match=r"run dex\.tl\.signature first"):
        dex.pl.panel_size(dex.datasets.simulate_counts(20), key="signature")
    plt.close("all")
