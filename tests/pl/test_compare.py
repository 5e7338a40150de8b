"""Tests side by side: what is drawn is what the tables hold."""

from __future__ import annotations

from itertools import combinations

import anndata as ad
import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from scipy.stats import pearsonr, spearmanr

import dex
from dex.design.tests import TestInfo
from dex.errors import InputError
from dex.get import compare_df, rank_genes_df
from dex.pl._compare_page import Names
from dex.pl._compare_scatter import Pairs
from dex.pl._compare_sets import Intersections
from dex.pl._compare_table import SideBySide, short_labels
from dex.pl._compare_tiles import colour_end
from dex.pl._theme import DOWN, UP
from dex.results import Result
from dex.results.store import store

HAIR = 0.01  # inches, for the width of lines
OPTIONS = {"padj": 0.05, "log2fc": 0.0, "direction": "both", "gene_symbols": None}


def stored(adata, log2fc, log10_padj, infos, key):
    columns = {
        "log2fc": log2fc,
        "stat": log2fc * 3,
        "log10_pval": log10_padj - 1,
        "log10_padj": log10_padj,
    }
    ones = (1,) * len(infos)
    store(adata, Result(columns, tuple(infos), ones, ones, {}), key=key)
    return adata


@pytest.fixture
def four():
    """300 genes in four contrasts, without effect in parts; and the same by another method."""
    rng = np.random.default_rng(5)
    shape = (300, 4)
    log2fc = rng.normal(0, 1.5, shape)
    log10_padj = -rng.exponential(1.2, shape)
    log10_padj[:, 3] /= 3
    log2fc[:7, 1] = log10_padj[:7, 1] = np.nan
    var = pd.DataFrame({"symbol": [f"S{j}" for j in range(300)]})
    adata = ad.AnnData(np.zeros((2, 300)), var=var.set_axis([f"g{j}" for j in range(300)]))
    infos = [TestInfo(f"drug{i} vs placebo in week {i}", "contrast") for i in range(4)]
    stored(adata, log2fc, log10_padj, infos, "a")
    return stored(adata, log2fc + rng.normal(0, 0.2, shape), log10_padj * 0.8, infos, "b")


def side_by_side(adata, test=None, **options):
    return SideBySide.from_adata(adata, test, **({"key": "a"} | OPTIONS | options))


def child(ax, label):
    (found,) = [one for one in ax.figure.axes if one.get_label() == label]
    return found


def labelled(ax, label):
    return [one for one in ax.collections if one.get_label() == label]


def words(ax):
    return [text.get_text() for text in ax.texts]


def visible_texts(figure):
    figure.draw_without_rendering()
    return [
        text
        for text in figure.findobj(mpl.text.Text)
        if text.get_visible() and text.get_text().strip()
    ]


def sets_by_hand(adata, names, **limits):
    """Genes significant in each test, by the tidy table."""
    return [set(rank_genes_df(adata, name, key="a", padj=0.05, **limits)["gene"]) for name in names]


# tiles


def test_tiles_have_the_colours_of_log2fc(four):
    ax = dex.pl.compare(four, key="a", n_genes=20, cluster_tests=True)
    (image,) = ax.images
    genes = [label.get_text() for label in ax.get_yticklabels()]
    tests = [label.get_text().replace("\n", " ") for label in ax.get_xticklabels()]
    table = compare_df(four, key="a")
    assert len(genes) == 20
    assert set(tests) == set(table.columns)
    np.testing.assert_array_equal(image.get_array().filled(np.nan), table.loc[genes, tests])
    assert image.norm.vmin == -image.norm.vmax
    assert image.cmap.name == "RdBu_r"


def test_tiles_have_dots_where_genes_are_significant(four):
    ax = dex.pl.compare(four, key="a", genes=["g0", "g1", "g2", "g50"], cluster_genes=False)
    padj = 10 ** compare_df(four, key="a", column="log10_padj").loc[["g0", "g1", "g2", "g50"]]
    levels = (padj <= 0.05).to_numpy().astype(int) + (padj <= 1e-3) + (padj <= 1e-6)
    assert (levels.to_numpy() > 0).any()
    for number, label in enumerate(["padj ≤ 0.05", "padj ≤ 0.001", "padj ≤ 1e-6"], start=1):
        (dots,) = labelled(ax, label)
        spots = {tuple(np.floor(xy).astype(int)[::-1]) for xy in dots.get_offsets()}
        assert spots == set(map(tuple, np.argwhere(levels.to_numpy() == number)))


def test_dots_are_seen_on_dark_tiles(four):
    ax = dex.pl.compare(four, key="a")
    rgba = ax.images[0].to_rgba(ax.images[0].get_array())
    for dots in ax.collections:
        if str(dots.get_label()).startswith("padj"):
            for (x, y), colour in zip(dots.get_offsets(), dots.get_facecolor(), strict=False):
                tile = rgba[int(y), int(x), :3] @ [0.2126, 0.7152, 0.0722]
                assert abs(colour[:3].mean() - tile) > 0.2


def test_missing_values_are_struck_through_and_explained(four):
    ax = dex.pl.compare(four, key="a", genes=["g0", "g1", "g20"], cluster_genes=False)
    (lines,) = labelled(ax, "no value")
    assert [tuple(np.floor(one[0]).astype(int)) for one in lines.get_segments()] == [(1, 0), (1, 1)]
    assert "no value" in words(child(ax, "legend of the dots"))
    full = dex.pl.compare(four, key="a", genes=["g20", "g21"])
    assert "no value" not in words(child(full, "legend of the dots"))


def test_tiles_take_the_best_of_every_test_in_turn(four):
    table = side_by_side(four)
    chosen = [table.genes[j] for j in table.best(8)]
    by_test = [rank_genes_df(four, i, key="a", padj=0.05)["gene"].tolist() for i in range(4)]
    turns = [gene for row in zip(*by_test, strict=False) for gene in row]
    assert chosen == list(dict.fromkeys(turns))[:8]
    assert len(table.best(10_000)) == table.significant.any(axis=1).sum()


def test_direction_chooses_the_genes(four):
    ax = dex.pl.compare(four, key="a", direction="down", n_genes=12)
    effect = compare_df(four, key="a").loc[[label.get_text() for label in ax.get_yticklabels()]]
    padj = compare_df(four, key="a", column="log10_padj").loc[effect.index]
    assert ((effect < 0) & (padj <= np.log10(0.05))).any(axis=1).all()


def test_no_significant_gene_is_said(four):
    four.varm["a_log10_padj"][:] = -0.1
    figure = dex.pl.compare(four, key="a", return_fig=True)
    assert any("no gene at padj ≤ 0.05, best by" in text.get_text() for text in figure.texts)
    assert not labelled(figure.axes[0], "padj ≤ 0.05")[0].get_offsets().size


def test_markers_are_beside_their_group(cells):
    ax = dex.pl.compare(cells, n_genes=16, direction="up")
    place = [int(label.get_text()[4:]) // 20 for label in ax.get_yticklabels()]
    assert place == sorted(place)
    assert len(set(place)) == 4
    assert ax.get_xticklabels()[0].get_text() == "T"


@pytest.mark.parametrize(
    ("values", "end"),
    [([0.0, 0.0], 1.0), ([1.9] * 99 + [50], 2.0), ([0.031] * 9, 0.04), ([np.nan], 1.0)],
)
def test_colours_end_at_a_plain_number(values, end):
    assert colour_end(np.array(values)) == pytest.approx(end)


def test_names_are_turned_where_they_do_not_fit():
    across = Names.under(["treated vs control"] * 2, 12)
    assert not across.turned
    assert across.texts[0].count("\n") >= 1
    turned = Names.under(["treated vs control"] * 2, 4)
    assert turned.turned
    assert turned.height > across.height


# upset


def test_combinations_are_counted_as_by_hand(four):
    ax = dex.pl.compare(four, key="a", kind="upset")
    sets = sets_by_hand(four, range(4))
    expected = {}
    for n in range(1, 5):
        for inside in combinations(range(4), n):
            outside = set().union(*(sets[i] for i in range(4) if i not in inside))
            expected[inside] = len(set.intersection(*(sets[i] for i in inside)) - outside)
    members = child(ax, "members")
    dots = labelled(members, "inside")[0].get_offsets()
    numbers = [int(text) for text in words(ax)]
    drawn = {}
    for column, number in enumerate(numbers):
        rows = np.floor(dots[np.floor(dots[:, 0]) == column, 1]).astype(int)
        drawn[tuple(sorted(int(row) for row in rows))] = number
    assert drawn == {inside: n for inside, n in expected.items() if n}
    assert numbers == sorted(numbers, reverse=True)
    assert [int(text) for text in words(child(ax, "sizes"))] == [len(genes) for genes in sets]


def test_bars_are_stacked_by_direction(four):
    ax = dex.pl.compare(four, key="a", kind="upset", test=[0, 2], log2fc=0.5)
    up = sets_by_hand(four, [0, 2], direction="up", log2fc=0.5)
    down = sets_by_hand(four, [0, 2], direction="down", log2fc=0.5)
    bars = {one.get_label(): [patch.get_height() for patch in one] for one in ax.containers}
    assert sum(bars["opposite"]) == len(up[0] & down[1]) + len(down[0] & up[1])
    only = [len(up[0] - up[1] - down[1]), len(up[1] - up[0] - down[0]), len(up[0] & up[1])]
    assert sorted(bars["up"]) == sorted(only)
    colours = {one.get_label(): one[0].get_facecolor() for one in ax.containers}
    assert mpl.colors.to_hex(colours["up"]) == UP
    assert mpl.colors.to_hex(colours["down"]) == DOWN


def test_direction_leaves_one_colour(four):
    table = Intersections.of(side_by_side(four, direction="up"))
    assert table.ways[:, 1:].sum() == 0
    assert table.ways[:, 0].sum() == len(set().union(*sets_by_hand(four, range(4), direction="up")))


def test_smaller_combinations_are_counted():
    rng = np.random.default_rng(0)
    adata = ad.AnnData(np.zeros((2, 3000)))
    infos = [TestInfo(f"t{i}", "contrast") for i in range(8)]
    log10_padj = np.where(rng.random((3000, 8)) < 0.4, -5.0, 0.0)
    stored(adata, rng.normal(0, 1, (3000, 8)), log10_padj, infos, "a")
    figure = dex.pl.compare(adata, key="a", kind="upset", return_fig=True)
    assert figure.get_size_inches()[0] == pytest.approx(180 / 25.4)
    shown = [int(text) for text in words(child(figure.axes[0], "combinations"))]
    assert len(shown) == 25
    (note,) = [text.get_text() for text in figure.texts if "not shown" in text.get_text()]
    rest = (log10_padj < -1).any(axis=1).sum() - sum(shown)
    assert f"with {rest:,} genes" in note


def test_nothing_significant_is_said(four):
    figure = dex.pl.compare(four, key="a", kind="upset", padj=1e-300, return_fig=True)
    assert any("no gene at padj ≤ 1e-300" in text.get_text() for text in figure.texts)
    assert words(child(figure.axes[0], "sizes")) == ["0"] * 4


def test_omnibus_tests_have_sets_without_direction(four):
    four.varm["a_log2fc"][:, 0] = np.nan
    found = Intersections.of(side_by_side(four, [0, 1]))
    alone = (found.members == [True, False]).all(axis=1)
    assert found.ways[alone][0, :2].sum() == 0
    assert found.ways[alone][0, 2] > 0
    both = found.members.all(axis=1)
    assert found.ways[both][0, 2] == 0  # the other test has a sign


# scatter


def test_points_and_classes_follow_the_tables(four):
    ax = dex.pl.compare(four, [0, 1], key="a")
    effect = compare_df(four, [0, 1], key="a").dropna().to_numpy()
    found = compare_df(four, [0, 1], key="a", column="log10_padj").dropna() <= np.log10(0.05)
    x, y = found.to_numpy().T
    opposite = x & y & (effect.prod(axis=1) < 0)
    expected = {
        "neither": ~x & ~y,
        "only x": x & ~y,
        "only y": ~x & y,
        "both": x & y & ~opposite,
        "opposite": opposite,
    }
    for label, here in expected.items():
        drawn = labelled(ax, label)[0].get_offsets()
        np.testing.assert_array_equal(np.sort(drawn, axis=0), np.sort(effect[here], axis=0))
        assert here.sum() > 0
    legend = {text.get_text() for text in ax.get_legend().get_texts()}
    assert legend == {f"{label} {here.sum()}" for label, here in expected.items()}
    notes = " ".join(words(ax))
    assert f"Pearson r = {pearsonr(*effect.T).statistic:.2f}" in notes
    assert f"Spearman rho = {spearmanr(*effect.T).statistic:.2f}, 293 genes" in notes
    assert "7 not drawn: no fold change in x (0) or y (7)" in notes


def test_extreme_genes_are_triangles_at_the_edge(four):
    four.varm["a_log2fc"][10] = [30.0, 1, 0, 0]
    four.varm["a_log2fc"][11:] = np.clip(four.varm["a_log2fc"][11:], -2, 2)
    ax = dex.pl.compare(four, [0, 1], key="a", genes=["g10"])
    (low, high), beyond = ax.get_xlim(), labelled(ax, "beyond the axes")
    assert high < 10
    spots = np.vstack([one.get_offsets() for one in beyond])
    assert len(spots) == 1
    assert ((spots > low) & (spots < high)).all()
    assert "1 beyond the axes, up to |log₂ FC| = 30" in " ".join(words(ax))
    assert "g10" in words(ax)


def test_genes_asked_for_are_named_and_others_are_extreme(four):
    ax = dex.pl.compare(four, [0, 2], key="a", genes=["S200", "g201"], gene_symbols="symbol")
    names = [text for text in words(ax) if text.startswith("S") and text[1:].isdigit()]
    assert {"S200", "S201"} <= set(names)
    effect = compare_df(four, [0, 2], key="a", gene_symbols="symbol")
    others = effect.loc[[name for name in names if name not in {"S200", "S201"}]]
    assert others.abs().max(axis=1).min() > effect.abs().max(axis=1).median()
    none = dex.pl.compare(four, [0, 2], key="a", n_labels=0)
    assert not [text for text in words(none) if text.startswith("g")]


def test_names_do_not_overlap(four):
    ax = dex.pl.compare(four, [0, 2], key="a", n_labels=20)
    ax.figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in ax.texts if text.get_text()[1:].isdigit()]
    assert len(boxes) > 5
    assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))


def test_panel_is_square_by_default(four):
    ax = dex.pl.compare(four, [0, 2], key="a")
    assert ax.get_xlim() == ax.get_ylim()
    ax.figure.draw_without_rendering()
    assert ax.bbox.width == pytest.approx(ax.bbox.height, rel=0.02)


# what all have in common


def test_auto_draws_two_as_scatter_and_more_as_tiles(four):
    assert dex.pl.compare(four, [0, 1], key="a").get_legend() is not None
    assert dex.pl.compare(four, [0, 1, 2], key="a").images


def test_tests_of_several_keys(four):
    ax = dex.pl.compare(four, 0, key=["a", "b"])
    assert ax.get_xlabel() == "log₂ fold change, a"
    assert ax.get_ylabel() == "log₂ fold change, b"
    assert ax.get_title().replace("\n", " ") == "drug0 vs placebo in week 0"
    assert side_by_side(four, [0, 1], key=["a", "b"]).labels[:2] == (
        "a: drug0 vs placebo in week 0",
        "b: drug0 vs placebo in week 0",
    )


@pytest.mark.parametrize(
    ("columns", "labels", "common"),
    [
        ({"group": ["A", "B"], "reference": "ctrl"}, ("A", "B"), "each against ctrl"),
        ({"group": "A", "reference": "ctrl", "per": ["x", "y"]}, ("x", "y"), "A against ctrl"),
        ({"group": ["A", "B"], "reference": ["B", "C"]}, ("n0", "n1"), ""),
        ({"group": ["", ""]}, ("n0", "n1"), ""),
        ({"group": ["A", "A"], "reference": "c", "key": ["k", "l"]}, ("k", "l"), "n0"),
    ],
)
def test_labels_leave_out_what_is_common(columns, labels, common):
    tests = {"name": ["n0", "n1"], "group": "", "reference": "", "per": "", "key": "k"} | columns
    assert short_labels(pd.DataFrame(tests)) == (labels, common)


@pytest.mark.parametrize("kind", ["tiles", "upset", "scatter"])
@pytest.mark.parametrize("width", [85, 180])
def test_nothing_is_cut_off_or_too_small(four, kind, width):
    test = [0, 1] if kind == "scatter" else None
    size = (width / 25.4, 90 / 25.4)
    figure = dex.pl.compare(four, test, key="a", kind=kind, figsize=size, return_fig=True)
    assert isinstance(figure, Figure)
    assert min(text.get_fontsize() for text in visible_texts(figure)) >= 6
    box, (right, top) = figure.get_tightbbox(), figure.get_size_inches()
    assert min(box.x0, box.y0) >= -HAIR
    assert box.x1 <= right + HAIR
    assert box.y1 <= top + HAIR


def test_thirty_genes_in_five_tests_fit_one_column(cells):
    infos = [TestInfo(f"stage{i} vs stage0", "group", f"stage{i}", "stage0") for i in range(5)]
    rng = np.random.default_rng(0)
    log2fc, log10_padj = rng.normal(0, 2, (200, 5)), -rng.exponential(3, (200, 5))
    stored(cells, log2fc, log10_padj, infos, "five")
    ax = dex.pl.compare(cells, key="five")
    figure = ax.figure
    figure.draw_without_rendering()
    assert figure.get_size_inches()[0] * 25.4 == pytest.approx(85)
    for axis, size in ((ax.yaxis, 30), (ax.xaxis, 5)):
        boxes = [label.get_window_extent() for label in axis.get_ticklabels()]
        assert len(boxes) == size
        assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))


@pytest.mark.parametrize("kind", ["tiles", "upset", "scatter"])
def test_draws_in_axes_given(four, kind):
    figure, (left, right) = plt.subplots(1, 2, figsize=(180 / 25.4, 80 / 25.4))
    test = [0, 1] if kind == "scatter" else None
    assert dex.pl.compare(four, test, key="a", kind=kind, ax=right, title="mine") is right
    assert plt.get_fignums() == [figure.number]
    assert figure.axes == [left, right]
    assert not left.child_axes
    assert not left.collections
    drawn = {text.get_text() for text in visible_texts(figure)}
    assert "mine" in drawn
    for inside in right.child_axes:
        box, host = inside.get_window_extent(), right.get_window_extent()
        assert host.x0 - 1 <= box.x0 <= box.x1 <= host.x1 + 1
        assert host.y0 - 1 <= box.y0 <= box.y1 <= host.y1 + 1


def test_saves(four, tmp_path):
    dex.pl.compare(four, key="a", save=tmp_path / "x.svg")
    assert "drug2" in (tmp_path / "x.svg").read_text()


def test_many_genes_are_rasterised():
    rng = np.random.default_rng(0)
    shape = (20_000, 2)
    adata = ad.AnnData(np.zeros((1, 20_000), dtype=np.float32))
    infos = [TestInfo(f"t{i}", "contrast") for i in range(2)]
    stored(adata, rng.normal(0, 1, shape), -rng.exponential(1, shape), infos, "a")
    ax = dex.pl.compare(adata, key="a", kind="scatter")
    assert labelled(ax, "neither")[0].get_rasterized()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"test": 0}, "one test, 'drug0 .*nothing to compare"),
        ({"kind": "venn"}, "kind='venn' is not known"),
        ({"kind": "scatter"}, r"shows 2 tests at most, and there are 4; choose with test=: 'drug0"),
        ({"kind": "upset", "genes": ["g1"]}, "genes= has no place"),
        ({"genes": ["nope"]}, r"not in var_names: \['nope'\]"),
        ({"genes": []}, "not a list of at least one gene"),
        ({"n_genes": 0}, "0 genes cannot be drawn"),
        ({"n_genes": 201}, "201 genes cannot be drawn"),
        ({"padj": 0}, "padj=0 is not a limit"),
        ({"log2fc": -1}, "log2fc=-1 is not a size"),
        ({"direction": "left"}, "direction='left'"),
        ({"save": "x.doc"}, "does not end in"),
    ],
)
def test_refuses_what_it_cannot_draw(four, options, message):
    with pytest.raises(InputError, match=message):
        dex.pl.compare(four, **({"key": "a"} | options))


def test_refuses_sets_that_cannot_be_seen_and_effects_that_are_not(four):
    infos = [TestInfo(f"t{i}", "contrast") for i in range(13)]
    many = np.ones((300, 13))
    stored(four, many, -many, infos, "many")
    with pytest.raises(InputError, match=r"shows 12 tests at most, and there are 13"):
        dex.pl.compare(four, key="many", kind="upset")
    four.varm["a_log2fc"][:, 0] = np.nan
    with pytest.raises(InputError, match="an omnibus test has none"):
        dex.pl.compare(four, [0, 1], key="a")


def test_two_tests_that_agree_name_their_strongest_genes():
    rng = np.random.default_rng(4)
    log2fc = np.repeat(rng.normal(0, 1.5, (300, 1)), 2, axis=1)
    log2fc[:, 1] += rng.normal(0, 1e-9, 300)
    infos = [TestInfo("x", "contrast"), TestInfo("y", "contrast")]
    adata = ad.AnnData(np.zeros((2, 300)))
    adata.var_names = [f"g{j}" for j in range(300)]
    stored(adata, log2fc, np.full((300, 2), -5.0), infos, "a")
    pairs = Pairs.of(side_by_side(adata))
    strongest = np.argsort(-np.abs(log2fc[:, 0]))[:10]
    assert set(pairs.worth_naming(10)) == set(strongest)


def test_genes_that_differ_are_named_but_not_those_near_the_origin(four):
    pairs = Pairs.of(side_by_side(four, [0, 2]))
    chosen = pairs.worth_naming(10)
    apart = np.abs(pairs.xy @ [1, -1])
    assert np.argmax(np.where(pairs.kind > 0, apart, 0)) == chosen[0]
    every = pairs.worth_naming(300)
    assert np.abs(pairs.xy[every]).max(axis=1).min() >= 0.1 * pairs.end


def test_sets_of_markers_are_of_genes_that_are_up(cells, four):
    figure = dex.pl.compare(cells, kind="upset", return_fig=True)
    said = [text.get_text() for text in visible_texts(figure)]
    assert "each against the rest, genes up" in said
    up = side_by_side(cells, key="rank_genes", direction="up")
    n_up = up.significant.any(axis=1).sum()
    drawn = next(ax for ax in figure.axes if ax.get_label() == "combinations")
    assert sum(bar.get_height() for bar in drawn.patches) == n_up
    figure = dex.pl.compare(cells, kind="upset", direction="both", return_fig=True)
    assert "each against the rest" in [text.get_text() for text in visible_texts(figure)]
    figure = dex.pl.compare(four, key="a", kind="upset", return_fig=True)
    drawn = next(ax for ax in figure.axes if ax.get_label() == "combinations")
    both = side_by_side(four, direction="both").significant.any(axis=1).sum()
    assert sum(bar.get_height() for bar in drawn.patches) == both
