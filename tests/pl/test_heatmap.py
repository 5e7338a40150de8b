from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import anndata as ad
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

import dex
import dex.pl
from dex.design.tests import TestInfo
from dex.errors import InputError
from dex.get import expression_df, rank_genes_df
from dex.pl._genes import GeneChoice
from dex.pl._theme import broken
from dex.results import Result
from dex.results.store import store

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIZES = (60, 25, 12, 3)


def genes_of(ax) -> list[str]:
    return [label.get_text() for label in ax.get_yticklabels()]


def part(figure: Figure, label: str):
    (ax,) = [ax for ax in figure.axes if ax.get_label() == label]
    return ax


def figure_texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.texts]


def shown(ax) -> np.ndarray:
    return np.hstack([np.asarray(image.get_array()) for image in ax.images])


def test_best_genes_of_one_test_half_up_half_down(bulk):
    ax = dex.pl.heatmap(bulk, n_genes=12)
    table = rank_genes_df(bulk)
    up, down = table["gene"][table["log2fc"] > 0][:6], table["gene"][table["log2fc"] < 0][:6]
    assert set(genes_of(ax)) == {*up, *down}


def test_a_short_side_leaves_its_places_to_the_other(bulk):
    drawn = genes_of(dex.pl.heatmap(bulk, n_genes=28))
    assert len(drawn) == 28
    assert sum(int(gene[4:]) >= 20 for gene in drawn) == 10
    assert len(genes_of(dex.pl.heatmap(bulk))) == 30  # all that are significant


def test_values_are_z_scores_over_what_is_shown(bulk):
    ax = dex.pl.heatmap(bulk, genes=["gene3", "gene7"], cluster_genes=False, cluster_obs=False)
    logs = expression_df(bulk, ["gene3", "gene7"])
    expected = (logs - logs.mean()) / logs.std(ddof=1)
    np.testing.assert_allclose(shown(ax), expected.to_numpy().T, rtol=1e-10)
    assert genes_of(ax) == ["gene3", "gene7"]
    assert ax.images[0].get_clim() == (-2.5, 2.5)


def test_z_scores_are_over_the_groups_compared(bulk):
    bulk.obs["arm"] = pd.Categorical(["other"] * 2 + ["control"] * 2 + ["treated"] * 4)
    bulk.uns["rank_genes"]["params"]["groupby"] = "arm"
    ax = dex.pl.heatmap(bulk, genes=["gene3"])
    assert [label.get_text()[:6] for label in ax.get_xticklabels()] == ["sample"] * 6
    np.testing.assert_allclose(shown(ax).mean(), 0, atol=1e-12)


def test_reference_is_on_the_left(bulk):
    bulk.obs["condition"] = bulk.obs["condition"].cat.reorder_categories(["treated", "control"])
    figure = dex.pl.heatmap(bulk, return_fig=True)
    assert figure_texts(figure)[:2] == ["control (n=4)", "treated (n=4)"]


def test_constant_gene_is_neutral(bulk):
    bulk.X[:, 5] = 0.1
    ax = dex.pl.heatmap(bulk, genes=["gene5", "gene6"], cluster_genes=False)
    assert (shown(ax)[0] == 0).all()
    assert np.isfinite(shown(ax)).all()


def test_rows_that_are_alike_are_neighbours(bulk):
    rng = np.random.default_rng(0)
    pattern = rng.normal(5, 1, (8, 2))
    bulk.X[:, 40:46] = pattern[:, [0, 1, 0, 1, 0, 1]] + rng.normal(0, 0.01, (8, 6))
    ax = dex.pl.heatmap(bulk, genes=[f"gene{j}" for j in range(40, 46)])
    odd = [int(gene[4:]) % 2 for gene in genes_of(ax)]
    assert odd in ([0, 0, 0, 1, 1, 1], [1, 1, 1, 0, 0, 0])


def test_columns_are_ordered_within_groups(bulk):
    for cluster_obs, mixed in (("within", False), (False, False), (True, True)):
        ax = dex.pl.heatmap(bulk, cluster_obs=cluster_obs, genes=["gene100", "gene101", "gene102"])
        order = [int(label.get_text()[6:]) for label in ax.get_xticklabels()]
        assert sorted(order) == list(range(8))
        assert len(ax.images) == (1 if mixed else 2)
        if cluster_obs is False:
            assert order == list(range(8))
        if not mixed:
            assert set(order[:4]) == set(range(4))
        logs = expression_df(bulk, [genes_of(ax)[0]]).to_numpy()[order, 0]
        z = (logs - logs.mean()) / logs.std(ddof=1)
        np.testing.assert_allclose(shown(ax)[0], z, rtol=1e-10)


def test_blocks_of_markers_follow_the_tests(cells):
    figure = dex.pl.heatmap(cells, n_genes=5, return_fig=True)
    ax = figure.axes[0]
    blocks = [int(gene[4:]) // 20 for gene in genes_of(ax)]
    assert blocks == [0] * 5 + [1] * 5 + [2] * 5 + [3] * 5
    table = rank_genes_df(cells, "B")
    assert set(genes_of(ax)[5:10]) == set(table["gene"][table["log2fc"] > 0][:5])
    assert len(part(figure, "blocks").patches) == 4


def test_groups_have_gaps_and_small_ones_can_be_seen(cells):
    figure = dex.pl.heatmap(cells, return_fig=True)
    ax = figure.axes[0]
    extents = np.array([image.get_extent() for image in ax.images]).reshape(4, 4, 4)
    assert (extents[1:, 0, 3] > extents[:-1, 0, 2]).all()  # gaps between the blocks of genes
    spans = extents[0, :, :2]
    widths = np.diff(spans, axis=1).ravel()
    assert len(spans) == 4
    assert (spans[1:, 0] > spans[:-1, 1]).all()
    assert (
        widths.min() > 3
    )  # millimetres, where the share of three cells in a hundred would be less
    assert (np.diff(widths) < 0).all()
    assert spans[-1, 1] == pytest.approx(ax.get_xlim()[1])
    labels = ["T (n=60)", "B (n=25)", "CD4/CD8 double (n=12)", "pDC (n=3)"]
    assert figure_texts(figure)[:4] == labels
    assert ax.get_xlabel() == "100 observations"
    assert len(genes_of(ax)) == 20


def test_stored_colours_are_used_where_they_fit(cells):
    cells.uns["cell_type_colors"] = ["#010203", "#111213", "#212223", "#313233"]
    bar = part(dex.pl.heatmap(cells, return_fig=True), "bar of cell_type")
    first = [tuple(np.round(np.asarray(image.get_array())[0, 0] * 255)) for image in bar.images]
    assert first == [(1, 2, 3), (17, 18, 19), (33, 34, 35), (49, 50, 51)]
    cells.uns["cell_type_colors"] = ["#010203"]
    bar = part(dex.pl.heatmap(cells, return_fig=True), "bar of cell_type")
    assert tuple(np.round(np.asarray(bar.images[0].get_array())[0, 0] * 255)) != (1, 2, 3)


def test_annotations_have_bars_and_legends(bulk):
    figure = dex.pl.heatmap(bulk, annotations=["batch", "age"], return_fig=True)
    legend = part(figure, "legend of batch")
    assert [text.get_text() for text in legend.texts] == ["batch", "a", "b"]
    ends = [text.get_text() for text in part(figure, "legend of age").texts]
    assert ends == ["age", "31", "61"]
    rgb = np.hstack([image.get_array() for image in part(figure, "bar of age").images])[0]
    order = [int(label.get_text()[6:]) for label in figure.axes[0].get_xticklabels()]
    assert (rgb[order.index(5)] == 1).all()  # no age: white
    assert (rgb[order.index(0)] < 0.1).all()  # the youngest


def test_groups_have_a_legend_when_columns_are_mixed(cells):
    figure = dex.pl.heatmap(cells, cluster_obs=True, return_fig=True)
    entries = [text.get_text() for text in part(figure, "legend of cell_type").texts]
    assert entries == ["cell_type", "T", "B", "CD4/CD8 double", "pDC"]


def test_no_significant_gene_is_said(bulk, restored):
    rng = np.random.default_rng(0)
    stat = rng.normal(0, 0.5, 400)
    restored(bulk, stat, stat)
    figure = dex.pl.heatmap(bulk, n_genes=10, return_fig=True)
    assert any("no gene at padj <= 0.05" in text for text in figure_texts(figure))
    assert set(genes_of(figure.axes[0])) == set(rank_genes_df(bulk)["gene"][:10])


def test_tests_without_genes_are_named(cells):
    cells.varm["rank_genes_log10_padj"][:, 2] = 0
    figure = dex.pl.heatmap(cells, return_fig=True)
    assert "no gene at padj <= 0.05: CD4/CD8 double" in figure_texts(figure)
    assert len(genes_of(figure.axes[0])) == 15


def test_labels_are_thinned_when_rows_are_low(cells):
    figure = dex.pl.heatmap(cells, n_genes=20, figsize=(7, 2.5), return_fig=True)
    ax = figure.axes[0]
    assert 4 <= len(genes_of(ax)) < 80
    figure.draw_without_rendering()
    boxes = [label.get_window_extent() for label in ax.get_yticklabels()]
    assert not any(a.overlaps(b) for a, b in itertools.pairwise(boxes))
    best = {rank_genes_df(cells, name)["gene"].iloc[0] for name in ("T", "B", "pDC")}
    assert best <= set(genes_of(ax))


@pytest.mark.parametrize("width", [85, 180])
@pytest.mark.parametrize("data", ["bulk", "cells"])
def test_nothing_is_cut_off(request, data, width):
    adata = request.getfixturevalue(data)
    extra = {"annotations": ["batch", "age"]} if data == "bulk" else {}
    size = (width / 25.4, 110 / 25.4)
    figure = dex.pl.heatmap(adata, figsize=size, return_fig=True, **extra)
    np.testing.assert_allclose(figure.get_size_inches(), size)
    figure.draw_without_rendering()
    labels = [
        label for ax in figure.axes for label in (*ax.get_xticklabels(), *ax.get_yticklabels())
    ]
    texts = [*figure.texts, *labels, *(text for ax in figure.axes for text in ax.texts)]
    for text in texts:
        box = text.get_window_extent()
        if text.get_text() and box.width:
            assert box.x0 >= -1, text
            assert box.x1 <= figure.bbox.x1 + 1, text
            assert box.y0 >= -1, text
            assert box.y1 <= figure.bbox.y1 + 1, text
    sizes = [text.get_fontsize() for text in texts]
    assert min(sizes) >= 6
    assert max(sizes) <= 8


def test_key_to_the_colours_is_labelled(bulk):
    bar = part(dex.pl.heatmap(bulk, return_fig=True), "bar of colours")
    assert bar.get_ylabel() == "z-score of\nlog₂ CPM"
    bar = part(dex.pl.heatmap(bulk, z_score=False, return_fig=True), "bar of colours")
    assert bar.get_ylabel() == "log₂ CPM"


def test_gene_symbols(bulk):
    ax = dex.pl.heatmap(bulk, n_genes=6, gene_symbols="symbol")
    ids = genes_of(dex.pl.heatmap(bulk, n_genes=6))
    assert genes_of(ax) == [f"SYM{gene[4:]}" for gene in ids]
    ax = dex.pl.heatmap(bulk, genes=["SYM9", "gene8"], gene_symbols="symbol", cluster_genes=False)
    assert genes_of(ax) == ["SYM9", "SYM8"]


def test_genes_can_be_drawn_without_a_result(bulk):
    del bulk.uns["rank_genes"]
    figure = dex.pl.heatmap(bulk, genes=["gene1", "gene2"], groupby="batch", return_fig=True)
    assert figure_texts(figure)[:2] == ["a (n=4)", "b (n=4)"]
    assert len(dex.pl.heatmap(bulk, genes=["gene1"]).images) == 1


def test_missing_labels_are_left_out(bulk):
    bulk.obs["arm"] = ["x", None, "y", "y", "x", "x", np.nan, "y"]
    ax = dex.pl.heatmap(bulk, genes=["gene1", "gene2"], groupby="arm")
    assert shown(ax).shape == (2, 6)


def test_only_the_stratum_of_the_test_is_shown(bulk):
    bulk.uns["rank_genes"]["params"]["per"] = "batch"
    bulk.uns["rank_genes"]["tests"]["per"] = np.array(["a"], dtype=object)
    ax = dex.pl.heatmap(bulk)
    assert {label.get_text() for label in ax.get_xticklabels()} == {
        f"sample{i}" for i in (0, 2, 4, 6)
    }


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"groupby": "nope"}, "'nope' is not a column of adata.obs; it has 'condition'"),
        ({"annotations": ["nope"]}, "'nope' is not a column"),
        ({"genes": ["nope"]}, "1 of 1 gene is not in var_names"),
        ({"genes": []}, "is not a list of at least one gene"),
        ({"n_genes": 0}, "n_genes=0"),
        ({"cluster_obs": "all"}, "cluster_obs='all'"),
        ({"key": "nope"}, "run dex.tl.rank_genes first"),
        ({"layer": "nope"}, "layer='nope'"),
        ({"mark": "gene399"}, "gene399"),
        ({"split_genes": 1000}, "split_genes=1000 cuts a tree"),
        ({"split_genes": "nope"}, "not a column of adata.var"),
        ({"split_genes": {"a": "gene1"}}, "at least one gene"),
        ({"split_obs": ["batch", "nope"]}, "'nope' is not a column"),
        ({"split_obs": 9}, "there are 8"),
        ({"dendrogram": "both"}, "dendrogram='both'"),
        ({"limit": (1, 1)}, "limit="),
    ],
)
def test_refuses_what_is_not_there(bulk, options, message):
    with pytest.raises(InputError, match=message):
        dex.pl.heatmap(bulk, **options)


def test_genes_are_cut_from_their_tree(bulk):
    figure = dex.pl.heatmap(bulk, split_genes=2, dendrogram=True, return_fig=True)
    ax = part(figure, "values")
    high = [int(gene[4:]) < 20 for gene in genes_of(ax)]
    assert high in ([True] * 20 + [False] * 10, [False] * 10 + [True] * 20)
    texts = figure_texts(figure)
    n_first = 20 if high[0] else 10
    assert f"cluster 1 ({n_first})" in texts
    assert f"cluster 2 ({30 - n_first})" in texts
    (lines,) = part(figure, "tree of genes").collections
    assert len(lines.get_segments()) == 29
    feet = np.array([bar[[0, 3], 1] for bar in lines.get_segments() if (bar[[0, 3], 0] == 0).all()])
    rows = np.asarray(ax.get_yticks())
    assert np.isin(feet.round(6), rows.round(6)).all()  # leaves end at the middle of their rows
    assert len(part(figure, "tree of observations").collections[0].get_segments()) == 6


def test_each_tree_can_be_left_out(bulk):
    labels = {ax.get_label() for ax in dex.pl.heatmap(bulk, return_fig=True).axes}
    assert not any("tree" in label for label in labels)
    figure = dex.pl.heatmap(bulk, dendrogram="obs", return_fig=True)
    trees = [ax.get_label() for ax in figure.axes if "tree" in ax.get_label()]
    assert trees == ["tree of observations"]


def test_sets_of_genes_are_blocks(bulk):
    sets = {"first": ["gene3", "gene1"], "second": ["gene25", "gene3"]}
    figure = dex.pl.heatmap(bulk, split_genes=sets, cluster_genes=False, return_fig=True)
    assert genes_of(part(figure, "values")) == ["gene3", "gene1", "gene25", "gene3"]
    assert {"first (2)", "second (2)"} <= set(figure_texts(figure))


def test_genes_are_split_by_a_column_of_var_or_a_series(bulk):
    bulk.var["module"] = pd.Categorical(["x"] * 10 + ["y"] * 10 + [None] * 380, ["y", "x"])
    figure = dex.pl.heatmap(bulk, split_genes="module", return_fig=True)
    assert {"y (10)", "x (10)", "other (10)"} <= set(figure_texts(figure))
    numbers = [int(gene[4:]) // 10 for gene in genes_of(part(figure, "values"))]
    assert numbers == [1] * 10 + [0] * 10 + [2] * 10
    again = dex.pl.heatmap(bulk, split_genes=bulk.var["module"], return_fig=True)
    assert genes_of(part(again, "values")) == genes_of(part(figure, "values"))


def test_nested_columns_split_the_observations(bulk):
    figure = dex.pl.heatmap(bulk, split_obs=["batch", "condition"], return_fig=True)
    texts = figure_texts(figure)
    assert texts[:4] == ["control (n=2)", "treated (n=2)"] * 2 or "(n=2)" in texts[0]
    assert {"a", "b"} <= set(texts)
    ax = part(figure, "values")
    order = [int(label.get_text()[6:]) for label in ax.get_xticklabels()]
    assert [i % 2 for i in order] == [0] * 4 + [1] * 4
    assert [i // 4 for i in order] == [0, 0, 1, 1] * 2
    spans = np.array([image.get_extent()[:2] for image in ax.images])
    gaps = spans[1:, 0] - spans[:-1, 1]
    assert gaps[1] > 2 * gaps[0] == pytest.approx(2 * gaps[2])  # wider between the outer groups
    assert {"bar of batch", "bar of condition"} <= {axes.get_label() for axes in figure.axes}


def test_names_of_outer_groups_have_room(bulk):
    bulk.obs["batch"] = np.where(
        bulk.obs["batch"] == "a", "a name that is long", "another long name"
    )
    figure = dex.pl.heatmap(bulk, split_obs=["batch", "condition"], return_fig=True)
    assert {"a name that is long", "another long name"} <= set(figure_texts(figure))
    figure = dex.pl.heatmap(
        bulk, split_obs=["batch", "condition"], figsize=(2.2, 4), return_fig=True
    )
    figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in figure.texts if "…" in text.get_text()]
    assert len(boxes) == 2
    assert not boxes[0].overlaps(boxes[1])


def test_groups_are_a_bar_when_others_split(bulk):
    figure = dex.pl.heatmap(bulk, split_obs="batch", groupby="condition", return_fig=True)
    entries = [text.get_text() for text in part(figure, "legend of condition").texts]
    assert entries == ["condition", "control", "treated"]


def test_observations_are_cut_from_their_tree(bulk):
    figure = dex.pl.heatmap(bulk, split_obs=2, groupby="condition", return_fig=True)
    ax = part(figure, "values")
    halves = [int(label.get_text()[6:]) // 4 for label in ax.get_xticklabels()]
    assert halves in ([0] * 4 + [1] * 4, [1] * 4 + [0] * 4)
    assert len(ax.images) == 2


@pytest.mark.parametrize(
    ("design", "grouped", "bars"),
    [
        ("~ batch * condition", {"batch", "condition"}, {"batch", "condition"}),
        ("~ batch + condition", {"condition"}, {"batch", "condition"}),
        ("~ condition + age", set(), {"condition", "age"}),
    ],
)
def test_columns_of_the_design_are_bars(bulk, design, grouped, bars):
    bulk.obs["age"] = bulk.obs["age"].fillna(40.0)
    dex.tl.rank_genes(bulk, design=design, method="ols", key_added="design")
    figure = dex.pl.heatmap(bulk, key="design", genes=["gene1", "gene2"], return_fig=True)
    assert {ax.get_label()[7:] for ax in figure.axes if "bar of " in ax.get_label()} - {
        "colours"
    } == bars
    legends = {ax.get_label()[10:] for ax in figure.axes if "legend of" in ax.get_label()}
    assert legends == bars - grouped
    if design.endswith("age"):
        shown_ages = [
            bulk.obs["age"].iloc[int(label.get_text()[6:])]
            for label in part(figure, "values").get_xticklabels()
        ]
        assert shown_ages == sorted(shown_ages)


def test_omnibus_tests_have_their_groups(bulk):
    bulk.obs["arm"] = list("xyzxyzxy")
    dex.tl.rank_genes(bulk, groupby="arm", test="any", method="ols", key_added="any")
    figure = dex.pl.heatmap(bulk, key="any", return_fig=True)
    assert figure_texts(figure)[:3] == ["x (n=3)", "y (n=3)", "z (n=2)"]


def test_samples_are_drawn_where_cells_were_added_up():
    rng = np.random.default_rng(5)
    sample = np.repeat(["s1", "s2", "s3", "s4"], 30)
    arm = pd.Categorical(np.where(np.isin(sample, ["s3", "s4"]), "stim", "ctrl"))
    mean = np.where((np.arange(60) < 5) & (arm == "stim")[:, None], 9.0, 2.0)
    obs = pd.DataFrame({"sample": sample, "arm": arm}, index=[f"c{i}" for i in range(120)])
    adata = ad.AnnData(rng.poisson(mean).astype(float), obs=obs)
    adata.uns["arm_colors"] = ["#010203", "#111213"]
    dex.tl.rank_genes(adata, groupby="arm", replicate="sample", method="ols")
    figure = dex.pl.heatmap(adata, genes=["0", "7"], cluster_genes=False, return_fig=True)
    ax = part(figure, "values")
    values = expression_df(adata, ["0", "7"], key="rank_genes")
    names = [label.get_text() for label in ax.get_xticklabels()]
    z = ((values - values.mean()) / values.std(ddof=1)).loc[names]
    np.testing.assert_allclose(np.hstack([i.get_array() for i in ax.images]), z.T, rtol=1e-8)
    assert figure_texts(figure)[:2] == ["ctrl (n=2)", "stim (n=2)"]
    first = part(figure, "bar of arm").images[0].get_array()[0, 0]
    np.testing.assert_allclose(first, np.array([1, 2, 3]) / 255)


def test_marked_genes_alone_are_named_and_joined_to_their_rows(cells):
    genes = [f"gene{j}" for j in range(200)]
    mark = ["gene70", "gene71", "gene5"]
    options = {"genes": genes, "cluster_genes": False, "figsize": (5, 3), "return_fig": True}
    figure = dex.pl.heatmap(cells, mark=mark, **options)
    ax = part(figure, "values")
    assert genes_of(ax) == ["gene5", "gene70", "gene71"]
    lines = part(figure, "connectors").collections[0].get_segments()
    np.testing.assert_allclose([line[0, 1] for line in lines], ax.get_yticks())
    row = ax.get_ylim()[0] / 200
    np.testing.assert_allclose([line[3, 1] / row for line in lines], [5.5, 70.5, 71.5])
    assert ax.get_yticks()[2] - ax.get_yticks()[1] > 2 > 2 * row  # the names are apart


def test_genes_asked_for_are_named_where_rows_are_thin(bulk):
    genes = [f"gene{j}" for j in range(30)]
    figure = dex.pl.heatmap(bulk, genes=genes, figsize=(3.3, 4.4), return_fig=True)
    assert set(genes_of(part(figure, "values"))) == set(genes)
    figure.draw_without_rendering()
    boxes = [label.get_window_extent() for label in part(figure, "values").get_yticklabels()]
    assert len(boxes) == 30


def test_limit_ends_the_colours(bulk):
    assert dex.pl.heatmap(bulk, limit=1.5).images[0].get_clim() == (-1.5, 1.5)
    assert dex.pl.heatmap(bulk, limit=(-1, 2)).images[0].get_clim() == (-1, 2)
    assert dex.pl.heatmap(bulk, z_score=False, limit=7).images[0].get_clim() == (0, 7)


@pytest.mark.parametrize("layout", ["constrained", None])
def test_in_the_place_of_given_axes(bulk, layout):
    figure = plt.figure(figsize=(7, 4), layout=layout)
    left, right = figure.subfigures(1, 2)
    plain = left.subplots()
    plain.plot([0, 1])
    host = right.subplots()
    ax = dex.pl.heatmap(bulk, ax=host, n_genes=8, dendrogram=True)
    assert ax.get_label() == "values"
    assert ax.figure.figure is figure
    assert not host.axison
    figure.draw_without_rendering()
    place = host.get_window_extent()
    for drawn in (ax, *host.child_axes):
        box = drawn.get_window_extent()
        assert place.x0 - 1 <= box.x0 <= box.x1 <= place.x1 + 1
        assert place.y0 - 1 <= box.y0 <= box.y1 <= place.y1 + 1
    for text in host.texts:
        box = text.get_window_extent()
        assert not box.width or place.x0 - 1 <= box.x0 <= box.x1 <= place.x1 + 1
    assert plain.lines


def test_a_block_takes_its_next_best_for_a_gene_that_another_shows(cells):
    stat = np.tile(np.linspace(12, 4, 200)[:, None], 3)  # the same order in all three tests
    stat[:, 2] = -stat[:, 2]
    columns = {"log2fc": stat / 4, "stat": stat, "pval": 10 ** -np.abs(stat)}
    columns |= {"log10_pval": -np.abs(stat), "log10_padj": 1 - np.abs(stat)}
    infos = tuple(TestInfo(f"{name} vs rest", "group", name, "rest") for name in ("T", "B", "pDC"))
    store(cells, Result(columns, infos, (1,) * 3, (1,) * 3, {}), key="alike")
    tests = dex.get.tests_df(cells, key="alike")
    choice = GeneChoice.best(cells, tests, key="alike", n_genes=6, padj=0.05)
    assert choice.genes == tuple(f"gene{j}" for j in range(12))
    assert choice.block.tolist() == [0] * 6 + [1] * 6
    assert choice.without == ("pDC",)  # all of its genes are down


def test_text_columns_are_in_the_order_of_the_design(bulk):
    bulk.obs["condition"] = bulk.obs["condition"].astype(object).replace("control", "vehicle")
    bulk.X = np.asarray(bulk.X)
    dex.tl.rank_genes(bulk, design="~ condition", contrasts=("condition", "treated", "vehicle"))
    choice = {"genes": ["gene1", "gene2"]}
    figure = dex.pl.heatmap(bulk, split_obs=["condition"], return_fig=True, **choice)
    words = [t.get_text() for t in figure.texts if "(n=4)" in t.get_text()]
    assert [word.split()[0] for word in words] == ["vehicle", "treated"]


def test_titles_of_blocks_break_at_spaces_and_slashes_only():
    assert broken("CD4/CD8 CD25-negative", 12.0) == "CD4/CD8\nCD25-negative"
    assert broken("naive/CD25-CD127+/memory", 14.0) == "naive/\nCD25-CD127+/\nmemory"


@pytest.mark.parametrize("padj", [0, 1.5, -1, "0.05", None, float("nan"), True])
def test_limits_of_padj_are_checked(bulk, padj):
    for plot in (dex.pl.heatmap, dex.pl.volcano, dex.pl.ma, dex.pl.compare):
        with pytest.raises(InputError, match="is not a limit of adjusted p-values"):
            plot(bulk, padj=padj)


@pytest.mark.parametrize("log2fc", [-1, "1", None, float("nan")])
def test_limits_of_fold_changes_are_checked(bulk, log2fc):
    for plot in (dex.pl.volcano, dex.pl.compare):
        with pytest.raises(InputError, match="is not a size of fold changes"):
            plot(bulk, log2fc=log2fc)
