from __future__ import annotations

import anndata as ad
import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure

import dex.pl
from dex.design.tests import TestInfo
from dex.errors import InputError
from dex.get import rank_genes_df
from dex.pl._labels import LINES
from dex.pl._labels_layout import crosses, crosses_box, overlaps
from dex.pl._theme import DOWN, UP

"""Far above the 0.4 s that 20,000 genes take; a step that is quadratic in them takes minutes."""


def texts(ax) -> list[str]:
    return [text.get_text() for text in ax.texts]


def names(ax) -> list[str]:
    return [text for text in texts(ax) if text.startswith(("gene", "SYM"))]


def markers(ax, label: str) -> list:
    return [scatter for scatter in ax.collections if scatter.get_label() == label]


def n_drawn(ax) -> int:
    labels = ("up", "down", "not significant", "beyond the axes")
    return sum(len(scatter.get_offsets()) for label in labels for scatter in markers(ax, label))


def luminance(colour: str) -> float:
    return float(np.dot(mpl.colors.to_rgb(colour), (0.2126, 0.7152, 0.0722)))


def test_counts_colours_and_places_follow_the_table(bulk):
    ax = dex.pl.volcano(bulk)
    table = rank_genes_df(bulk)
    called = table[(table["padj"] <= 0.05) & (table["log2fc"].abs() >= 1)]
    assert texts(ax)[:2].count("padj\n0.05") == 1
    assert "20 up" in texts(ax)
    assert "10 down" in texts(ax)
    (up,), (down,) = markers(ax, "up"), markers(ax, "down")
    assert mpl.colors.to_hex(up.get_facecolor()[0]) == UP
    assert mpl.colors.to_hex(down.get_facecolor()[0]) == DOWN
    drawn = np.vstack([up.get_offsets(), down.get_offsets()])
    expected = called[["log2fc", "log10_pval"]].to_numpy() * [1, -1]
    np.testing.assert_allclose(np.sort(drawn, axis=0), np.sort(expected, axis=0), rtol=1e-12)


def test_colours_differ_without_colour():
    assert luminance(UP) < 0.5 * luminance(DOWN)


def test_genes_without_p_are_counted_and_not_drawn(bulk):
    ax = dex.pl.volcano(bulk)
    assert n_drawn(ax) == 390
    assert "10 without p-value not drawn" in texts(ax)


def test_sides_are_in_words(bulk, restored):
    ax = dex.pl.volcano(bulk)
    assert "←\N{NO-BREAK SPACE}higher in control" in texts(ax)
    assert "higher in treated\N{NO-BREAK SPACE}→" in texts(ax)
    frame = rank_genes_df(bulk).sort_index()
    info = TestInfo("age", "coefficient")
    ax = dex.pl.volcano(restored(bulk, frame["stat"], frame["log2fc"], info))
    assert "positive\N{NO-BREAK SPACE}→" in texts(ax)
    assert ax.get_title() == "age"


def test_line_lies_between_the_last_gene_that_passes_and_the_next(bulk):
    ax = dex.pl.volcano(bulk)
    table = rank_genes_df(bulk).dropna(subset="padj")
    (height,) = {line.get_ydata()[0] for line in ax.lines if list(line.get_xdata()) == [0, 1]}
    passed = table["padj"] <= 0.05
    assert -table["log10_pval"][~passed].min() < height < -table["log10_pval"][passed].max()


def test_no_significant_gene_has_no_line_and_says_so(bulk, restored):
    rng = np.random.default_rng(0)
    ax = dex.pl.volcano(restored(bulk, rng.normal(0, 0.5, 400), rng.normal(0, 1, 400)))
    assert not any(list(line.get_xdata()) == [0, 1] for line in ax.lines)
    assert "no gene at padj <= 0.05" in texts(ax)
    assert names(ax) == []


def test_extreme_genes_are_triangles_at_the_edge(bulk, restored):
    rng = np.random.default_rng(3)
    stat, log2fc = rng.normal(0, 1, 400), rng.normal(0, 1, 400)
    stat[0], log2fc[0] = 151.6, 2.0  # p = 1e-4993
    stat[1], log2fc[1] = -1.0, -30.0
    ax = dex.pl.volcano(restored(bulk, stat, log2fc), genes=["gene0"])
    beyond = markers(ax, "beyond the axes")
    assert sum(len(scatter.get_offsets()) for scatter in beyond) == 2
    assert n_drawn(ax) == 400
    left, right = ax.get_xlim()
    low, top = ax.get_ylim()
    for x, y in np.vstack([scatter.get_offsets() for scatter in beyond]):
        assert left < x < right
        assert low < y < top
        assert y > 0.94 * top or x < 0.94 * left
    assert top < 20
    (note,) = [text for text in texts(ax) if "beyond" in text]
    assert note.startswith("2 beyond the axes")
    assert "4,993" in note
    assert "30" in note
    assert "gene0" in names(ax)


def test_strong_effects_of_few_genes_are_drawn_in_their_place(bulk, restored):
    stat, log2fc = np.linspace(-1, 1, 400), np.linspace(-0.5, 0.5, 400)
    stat[0], log2fc[0] = -20.0, -7.0
    ax = dex.pl.volcano(restored(bulk, stat, log2fc))
    assert not markers(ax, "beyond the axes")
    assert ax.get_xlim()[0] < -7


def test_zero_p_is_at_the_edge(bulk, restored):
    rng = np.random.default_rng(3)
    stat = rng.normal(0, 1, 400)
    adata = restored(bulk, stat, rng.normal(0, 1, 400))
    adata.varm["rank_genes_log10_pval"][5] = -np.inf
    adata.varm["rank_genes_log10_padj"][5] = -np.inf
    ax = dex.pl.volcano(adata)
    assert len(markers(ax, "beyond the axes")) == 1
    assert np.isfinite(ax.get_ylim()).all()


def test_labels_do_not_overlap_and_clear_the_points(bulk):
    ax = dex.pl.volcano(bulk, n_labels=8)
    assert len(names(ax)) > 8
    ax.figure.draw_without_rendering()
    labels = [text for text in ax.texts if text.get_text() in names(ax)]
    boxes = [label.get_window_extent() for label in labels]
    for i, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[:i])
        assert ax.bbox.containsx(box.x0)
        assert ax.bbox.containsx(box.x1)
    points = ax.transData.transform(np.vstack([s.get_offsets() for s in ax.collections]))
    for box in boxes:
        assert not any(box.contains(x, y) for x, y in points)


def test_labels_are_the_best_of_each_side(bulk):
    table = rank_genes_df(bulk)
    best_up = set(table["gene"][table["log2fc"] > 0][:3])
    best_down = set(table["gene"][table["log2fc"] < 0][:3])
    assert set(names(dex.pl.volcano(bulk, n_labels=3))) <= best_up | best_down
    assert names(dex.pl.volcano(bulk, n_labels=0)) == []


def test_labels_asked_for_are_always_there(bulk):
    wanted = [f"gene{j}" for j in range(100, 120)]  # in the thick of the points
    ax = dex.pl.volcano(bulk, genes=wanted, n_labels=2)
    assert set(wanted) <= set(names(ax))
    assert len(markers(ax, "_asked for")[0].get_offsets()) == 20
    bold = {text.get_text() for text in ax.texts if text.get_fontweight() == "bold"}
    assert set(wanted) <= bold


def test_labels_give_way_where_there_is_no_room(bulk):
    ax = dex.pl.volcano(bulk, n_labels=30, figsize=(1.6, 1.6))
    assert len(names(ax)) < 25


def test_gene_symbols_are_shown_and_found(bulk):
    ax = dex.pl.volcano(bulk, gene_symbols="symbol", genes=["SYM150", "gene151"])
    assert {"SYM150", "SYM151"} <= set(names(ax))
    assert not any(name.startswith("gene") for name in names(ax))


def test_gene_without_p_may_be_asked_for(bulk):
    assert "gene395" not in names(dex.pl.volcano(bulk, genes=["gene395"]))


def test_panels_for_several_tests(cells):
    axes = dex.pl.volcano(cells)
    assert [ax.get_title() for ax in axes] == [
        "T vs rest",
        "B vs rest",
        "CD4/CD8 double vs rest",
        "pDC vs rest",
    ]
    assert all(ax.get_visible() for ax in axes)
    assert axes[0].figure.get_size_inches()[0] == pytest.approx(180 / 25.4)
    assert dex.pl.volcano(cells, test="B").get_title() == "B vs rest"
    assert len(dex.pl.volcano(cells, test=["B", 0])) == 2


def test_draws_in_axes_given(bulk, cells):
    figure, (left, right) = plt.subplots(1, 2)
    assert dex.pl.volcano(bulk, ax=right, title="mine") is right
    assert right.get_title() == "mine"
    assert plt.get_fignums() == [figure.number]
    assert not left.collections
    with pytest.raises(InputError, match=r"ax= holds one test.*'T vs rest'"):
        dex.pl.volcano(cells, ax=left)


def test_figure_is_one_column_wide_with_small_type(bulk):
    figure = dex.pl.volcano(bulk, return_fig=True)
    assert isinstance(figure, Figure)
    assert figure.get_size_inches()[0] * 25.4 == pytest.approx(85)
    (ax,) = figure.axes
    sizes = [text.get_fontsize() for text in (*ax.texts, *ax.get_xticklabels(), ax.title)]
    assert min(sizes) >= 6
    assert max(sizes) <= 8


@pytest.mark.parametrize("width", [85, 120, 180])
def test_nothing_is_cut_off(bulk, width):
    figure = dex.pl.volcano(bulk, return_fig=True, figsize=(width / 25.4, 3))
    figure.draw_without_rendering()
    (ax,) = figure.axes
    for text in (*ax.texts, ax.title, ax.xaxis.label, ax.yaxis.label):
        box = text.get_window_extent()
        assert figure.bbox.x0 <= box.x0
        assert box.x1 <= figure.bbox.x1
        assert figure.bbox.y0 <= box.y0
        assert box.y1 <= figure.bbox.y1


def test_counts_and_threshold_do_not_meet(bulk):
    ax = dex.pl.volcano(bulk, log2fc=1)
    above = [text for text in ax.texts if getattr(text, "xyann", None) == (0, 3)]
    assert len(above) == 3
    boxes = sorted((text.get_window_extent() for text in above), key=lambda box: box.x0)
    assert boxes[0].x1 < boxes[1].x0
    assert boxes[1].x1 < boxes[2].x0
    narrow = dex.pl.volcano(bulk, log2fc=1, figsize=(1.5, 2))
    assert "dashed: |log2 FC| = 1" in texts(narrow)


def test_global_settings_stay(bulk):
    before = dict(mpl.rcParams)
    dex.pl.volcano(bulk)
    assert dict(mpl.rcParams) == before


def test_many_points_are_rasterised(bulk, restored):
    rng = np.random.default_rng(0)
    stat = rng.normal(0, 2, 20_000)
    adata = ad.AnnData(np.zeros((2, 20_000), dtype=np.float32))
    restored(adata, stat, stat / 3 + rng.normal(0, 0.2, 20_000))
    ax = dex.pl.volcano(adata)
    assert all(markers(ax, label)[0].get_rasterized() for label in ("up", "down"))
    assert not markers(dex.pl.volcano(bulk), "up")[0].get_rasterized()


def test_refuses_what_it_cannot_draw(bulk, cells, restored):
    with pytest.raises(InputError, match=r"1 of 2 genes is not in var_names: \['nope'\]"):
        dex.pl.volcano(bulk, genes=["nope", "gene1"])
    with pytest.raises(InputError, match=r"run dex\.tl\.rank_genes"):
        dex.pl.volcano(bulk, key="other")
    with pytest.raises(InputError, match="did you mean 'pDC'"):
        dex.pl.volcano(cells, test="pDCs")
    none = np.full(400, np.nan)
    with pytest.raises(InputError, match=r"no p-value for any gene.*all_zero"):
        dex.pl.volcano(restored(bulk, none, np.ones(400)))
    with pytest.raises(InputError, match="omnibus"):
        dex.pl.volcano(restored(bulk, np.ones(400), none, TestInfo("any", "omnibus")))


def test_too_many_tests_are_listed(cells):
    from dex.results import Result
    from dex.results.store import store

    infos = tuple(TestInfo(f"g{i}", "contrast") for i in range(13))
    columns = {name: np.ones((200, 13)) for name in ("log2fc", "stat", "log10_pval", "log10_padj")}
    store(cells, Result(columns, infos, (1,) * 13, (1,) * 13, {}), key="many")
    with pytest.raises(InputError, match=r"there are 13; choose with test=: 'g0', 'g1'"):
        dex.pl.volcano(cells, key="many")


def test_forty_names_of_many_points_without_overlap(bulk, restored):
    adata = many_genes(50_000, restored)
    ax = dex.pl.volcano(adata, n_labels=20)
    assert len(written(ax)) >= 30  # in columns, as there is no room for so many at their points
    check_names(ax, [str(name) for name in adata.var_names])


@pytest.mark.parametrize("width", [85, 180])
def test_forty_genes_asked_for_are_written_whatever_their_place(restored, width):
    adata = many_genes(5000, restored)
    wanted = [str(name) for name in adata.var_names[100:140]]
    ax = dex.pl.volcano(adata, genes=wanted, n_labels=5, figsize=(width / 25.4, 3.2))
    names_written = written(ax)
    assert set(wanted) <= set(names_written)
    check_names(ax, [str(name) for name in adata.var_names])
    drawn = ax.transData.transform(markers(ax, "_asked for")[0].get_offsets())
    assert len(drawn) == 40
    assert ax.bbox.x0 <= drawn[:, 0].min() <= drawn[:, 0].max() <= ax.bbox.x1


def test_long_ids_are_left_out_and_not_crowded(restored):
    adata = many_genes(3000, restored)
    adata.var_names = [f"ENSG{j:011d}" for j in range(3000)]
    ax = dex.pl.volcano(adata, n_labels=20)
    assert 4 <= len(written(ax)) < 40
    check_names(ax, list(adata.var_names))


def test_no_name_is_written_twice_or_on_a_line_of_the_plot(bulk):
    ax = dex.pl.volcano(bulk, n_labels=10, log2fc=1)
    assert len(set(written(ax))) == len(written(ax))
    boxes = [text.get_window_extent() for text in ax.texts if text.get_text() in written(ax)]
    heights = ax.transData.transform([(0, line.get_ydata()[0]) for line in ax.lines[:1]])[:, 1]
    assert not any(box.y0 < height < box.y1 for box in boxes for height in heights)


def test_best_genes_of_both_sides_are_named(bulk):
    table = rank_genes_df(bulk)
    ax = dex.pl.volcano(bulk, n_labels=5)
    up = set(table["gene"][table["log2fc"] > 0]) & set(written(ax))
    down = set(table["gene"][table["log2fc"] < 0]) & set(written(ax))
    assert min(len(up), len(down)) >= 4


def test_limits_given_clip_and_count(bulk):
    ax = dex.pl.volcano(bulk, x_limit=(-1, 2), y_limit=5, n_labels=0)
    assert ax.get_xlim()[0] == pytest.approx(-1, abs=0.1)
    assert ax.get_xlim()[1] == pytest.approx(2, abs=0.1)
    assert n_drawn(ax) == 390
    table = rank_genes_df(bulk).dropna(subset="log10_pval")
    beyond = (table["log2fc"] < -1) | (table["log2fc"] > 2) | (table["log10_pval"] < -5)
    assert any(text.startswith(f"{beyond.sum()} beyond") for text in texts(ax))
    for limit in (0, -1, np.nan, (1, 2), (0, 0)):
        with pytest.raises(InputError, match="x_limit="):
            dex.pl.volcano(bulk, x_limit=limit)
    with pytest.raises(InputError, match="y_limit=-1"):
        dex.pl.volcano(bulk, y_limit=-1)


def test_adjusted_p_can_be_the_axis(bulk):
    ax = dex.pl.volcano(bulk, y="padj")
    assert "adjusted" in ax.get_ylabel()
    (height,) = {line.get_ydata()[0] for line in ax.lines if list(line.get_xdata()) == [0, 1]}
    assert height == pytest.approx(-np.log10(0.05))
    (up,) = markers(ax, "up")
    assert up.get_offsets()[:, 1].min() >= height
    with pytest.raises(InputError, match="y='stat'"):
        dex.pl.volcano(bulk, y="stat")


def test_classes_have_colours_and_a_legend(bulk):
    classes = {"heat": ["gene0", "gene1", "gene250", "absent"], "cold": "gene25"}
    ax = dex.pl.volcano(bulk, highlight=classes)
    (heat,), (cold,) = markers(ax, "heat"), markers(ax, "cold")
    assert len(heat.get_offsets()) == 3
    assert len(cold.get_offsets()) == 1
    colours = {mpl.colors.to_hex(one.get_facecolor()[0]) for one in (heat, cold)}
    assert len(colours | {UP, DOWN}) == 4
    assert {"heat (3 of 4 genes)", "cold (1 gene)"} <= set(texts(ax))
    assert n_drawn(ax) + 4 == 390
    with pytest.raises(InputError, match="highlight='x': none of its 1 genes"):
        dex.pl.volcano(bulk, highlight={"x": ["absent"]})
    with pytest.raises(InputError, match="7 classes"):
        dex.pl.volcano(bulk, highlight={str(i): ["gene1"] for i in range(7)})


def test_null_of_a_threshold_test_is_shaded(bulk):
    assert not dex.pl.volcano(bulk).patches
    bulk.uns["rank_genes"]["params"]["lfc"] = 0.5
    ax = dex.pl.volcano(bulk)
    (band,) = ax.patches
    corners = band.get_extents().transformed(ax.transData.inverted())
    np.testing.assert_allclose([corners.x0, corners.x1], [-0.5, 0.5])
    assert any("0.5" in text and text.startswith("band") for text in texts(ax))


def test_rasterised_as_asked(bulk):
    assert markers(dex.pl.volcano(bulk, rasterized=True), "up")[0].get_rasterized()


def many_genes(n: int, restored):
    """A volcano with 5 % of the genes changed."""
    rng = np.random.default_rng(5)
    log2fc = rng.normal(0, 0.5, n)
    changed = rng.choice(n, n // 20, replace=False)
    log2fc[changed] += rng.normal(0, 2, len(changed))
    adata = ad.AnnData(np.zeros((2, n), dtype=np.float32))
    adata.var_names = [f"gene{j}" for j in range(n)]
    return restored(adata, log2fc * rng.uniform(1.5, 3.5, n), log2fc)


def written(ax) -> list[str]:
    return [text.get_text() for text in label_texts(ax)]


def label_texts(ax) -> list:
    return [text for text in ax.texts if text.get_text().startswith(("gene", "SYM", "ENSG"))]


def check_names(ax, known: list[str]) -> None:
    """No name meets another name or another text, and no line a name or another line."""
    ax.figure.draw_without_rendering()
    labels = label_texts(ax)
    assert all(label.get_text() in known for label in labels)
    everything = [*ax.texts, ax.title, *ax.get_xticklabels(), *ax.get_yticklabels()]
    boxes = {id(text): extent(text) for text in everything if text.get_text()}
    for label in labels:
        box = boxes[id(label)]
        assert ax.figure.bbox.x0 <= box[0] < box[2] <= ax.figure.bbox.x1
        for other, its in boxes.items():
            assert other == id(label) or not overlaps(np.array([box]), np.array([its]))[0, 0]
    drawn = [lines for lines in ax.collections if lines.get_gid() == LINES]
    ends = [one for lines in drawn for one in lines.get_segments()]
    lines = ax.transData.transform(np.array(ends).reshape(-1, 2)).reshape(-1, 4)
    names_ = np.array([boxes[id(label)] for label in labels])
    assert not crosses_box(lines, shrunk(names_)).any()
    assert not crosses(lines, lines).any()


def extent(text) -> list[float]:
    """Box of the ink of a text, without the padding of its background."""
    box = text.get_window_extent()
    return [box.x0, box.y0, box.x1, box.y1]


def shrunk(boxes):
    """Boxes less the half pixel by which the hinting of the screen widens text."""
    return boxes + np.array([0.5, 0.5, -0.5, -0.5])


def longest_line(ax) -> float:
    """In typographical points."""
    segments = [s for c in ax.collections if c.get_gid() == LINES for s in c.get_segments()]
    ends = [ax.transData.transform(s) for s in segments]
    return max(np.hypot(*(b - a)) * 72 / ax.figure.dpi for a, b in ends)


def test_no_line_of_several_panels_is_long_and_no_axis_is_cut(cells):
    axes = dex.pl.volcano(cells, n_labels=30)
    for ax in axes:
        assert ax.spines["bottom"].get_bounds() is None
        assert longest_line(ax) <= 35 + 1


def test_genes_asked_for_are_named_in_every_panel(cells):
    wanted = ["gene0", "gene21", "gene41"]
    for ax in dex.pl.volcano(cells, genes=wanted, n_labels=5):
        assert set(wanted) <= set(names(ax))


def test_a_symbol_among_ids_says_which_column_has_it(bulk):
    with pytest.raises(InputError, match="give gene_symbols='symbol'"):
        dex.pl.volcano(bulk, genes="SYM3")
