"""Pictures of strata that were tested apart."""

from __future__ import annotations

import pytest
from matplotlib.text import Text

import dex
from dex.errors import InputError


@pytest.fixture(scope="module")
def tissues():
    """14 tissues of 4 samples, two with two."""
    adata = dex.datasets.simulate_counts(60, n_per_group=28, n_batches=2, seed=4)
    adata.obs["tissue"] = [f"t{i % 14:02}" for i in range(56)]
    dex.tl.rank_genes(adata, "condition", per="tissue", method="ols")
    return adata


@pytest.mark.parametrize("name", ["volcano", "ma", "pvalues"])
def test_panels_of_strata(tissues, name):
    draw = getattr(dex.pl, name)
    with pytest.raises(InputError, match=r"there are 14; choose with test= or per="):
        draw(tissues)
    axes = draw(tissues, per=["t03", "t01"])
    assert len(axes) == 2
    titles = [text.get_text() for axis in axes for text in [axis.title, *axis.texts]]
    assert any("t03: treated vs control" in title.replace("\n", " ") for title in titles)
    draw(tissues, "treated", per="t05")


@pytest.mark.parametrize("name", ["volcano", "ma", "pvalues"])
def test_strata_without_a_test_have_no_panel(tissues, name, caplog):
    some = tissues[
        (tissues.obs["tissue"] != "t01") | (tissues.obs["condition"] == "control")
    ].copy()
    some = some[some.obs["tissue"].isin(["t01", "t02"])].copy()
    dex.tl.rank_genes(some, "condition", per="tissue", method="ols")
    draw = getattr(dex.pl, name)
    assert draw(some) is not None
    assert "Not drawn, as no gene was tested: 't01: treated vs control'" in caplog.text
    with pytest.raises(InputError, match="no gene was tested in 't01: treated vs control'"):
        draw(some, per="t01")


def test_heatmaps_have_the_samples_of_the_strata(tissues):
    one = dex.pl.heatmap(tissues, per="t02", n_genes=5)
    inside = tissues.obs_names[tissues.obs["tissue"] == "t02"]
    assert {label.get_text() for label in one.get_xticklabels()} == set(inside)
    two = dex.pl.heatmap(tissues, per=["t02", "t03"], n_genes=3)
    assert len(two.get_xticklabels()) == 8
    words = {text.get_text() for text in two.figure.findobj(Text)}
    assert {"t02", "t03", "t02 (3)", "t03 (3)"} <= words  # above the samples, beside the genes


def test_expression_of_one_stratum_and_of_two(tissues):
    def n_points(axis):
        return sum(len(points.get_offsets()) for points in axis.collections if points.get_paths())

    one = dex.pl.expression(tissues, ["gene0001"], per="t02")
    two = dex.pl.expression(tissues, ["gene0001"], per=["t02", "t03"])
    assert n_points(two) == 2 * n_points(one) > 0
    legends = [text.get_text() for legend in two.figure.legends for text in legend.get_texts()]
    legends += [text.get_text() for text in (two.get_legend() or []) and two.get_legend().texts]
    assert {"t02", "t03"} <= set(legends)


def test_strata_side_by_side(tissues):
    axis = dex.pl.compare(tissues, per=["t01", "t02", "t03"], n_genes=6)
    assert [label.get_text() for label in axis.get_xticklabels()] == ["t01", "t02", "t03"]
    assert dex.pl.compare(tissues, per=["t01", "t02"], kind="scatter").get_xlabel().endswith("t01")
