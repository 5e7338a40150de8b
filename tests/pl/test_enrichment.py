"""Pictures of gene sets: what is drawn, of which sets, in what order."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_hex

import dex
from dex.errors import InputError
from dex.pl._enrich_network import _free_place
from dex.pl._graph_layout import graph_places
from dex.pl._sets_chosen import wrapped_name
from dex.pl._theme import DOWN, UP, text_width

PICTURES = (
    "enrich_dotplot",
    "enrich_bar",
    "running_score",
    "enrich_ridge",
    "enrich_network",
    "enrich_map",
    "leading_edge",
)
LONG = "HALLMARK_OF_A_VERY_LONG_NAME_THAT_NOBODY_WOULD_CALL_SHORT_AND_THAT_STILL_GOES_ON_AND_ON"


@pytest.fixture(scope="module")
def adata():
    """Three groups; sets up and down in b, and sets of nothing."""
    made = dex.datasets.simulate_counts(300, 4, groups=("a", "b", "c"), de_fraction=0.3, seed=3)
    dex.tl.rank_genes(made, "condition", reference="a", method="limma")
    names = list(made.var_names)
    best = dex.get.rank_genes_df(made, "b vs a")
    up = list(best.loc[best["log2fc"] > 0, "gene"])
    down = list(best.loc[best["log2fc"] < 0, "gene"])
    rng = np.random.default_rng(1)
    sets = {f"null {i}": list(rng.choice(names, 20, replace=False)) for i in range(8)}
    sets |= {"up": up[:20], "up too": up[8:30], "down": down[:20], LONG: down[14:36]}
    dex.tl.enrich(made, sets, method="gsea")
    dex.tl.enrich(made, sets, method="ora", key_added="ora")
    dex.tl.enrich(made, sets, method="camera", key_added="camera")
    return made


def labels(ax):
    return [label.get_text() for label in ax.get_yticklabels()]


@pytest.mark.parametrize("key", ["enrich", "ora", "camera"])
@pytest.mark.parametrize("name", PICTURES)
def test_every_picture_of_every_method(adata, name, key, tmp_path):
    options = {} if name in {"enrich_dotplot", "enrich_bar"} else {"contrast": "b vs a"}
    figure = getattr(dex.pl, name)(
        adata, key=key, return_fig=True, save=tmp_path / "a.png", **options
    )
    assert (tmp_path / "a.png").stat().st_size > 5000
    width, height = figure.get_size_inches() * 25.4
    assert 80 <= width <= 181
    assert height < 260


@pytest.mark.parametrize("name", [*PICTURES, "grid"])
def test_words_lie_on_the_page(adata, name):
    if name == "grid":
        figure = dex.pl.enrich_dotplot(adata, return_fig=True)
    else:
        figure = getattr(dex.pl, name)(adata, contrast="b vs a", return_fig=True)
    figure.draw_without_rendering()
    page = figure.bbox
    for ax in figure.axes:
        named = ax.get_xticklabels() if name in {"grid", "leading_edge"} else []
        for text in [*ax.get_yticklabels(), *named, *ax.texts, ax.xaxis.label]:
            if text.get_text() and text.get_visible():
                box = text.get_window_extent()
                assert box.x0 > page.x0 - 2, text
                assert box.x1 < page.x1 + 2, text
                assert box.y0 > page.y0 - 2, text


def test_dots_of_contrasts(adata):
    ax = dex.pl.enrich_dotplot(adata)
    assert [label.get_text() for label in ax.get_xticklabels()] == ["b vs a", "c vs a"]
    dots = ax.collections[0]
    assert len(dots.get_offsets()) == 2 * len(labels(ax))
    table = dex.get.enrich_df(adata).set_index(["contrast", "gene_set"])
    assert dots.get_clim()[1] == pytest.approx(
        np.abs(dots.get_array()).max()
    )  # symmetric, to the strongest drawn
    first = labels(ax)[0]
    assert dots.get_array()[0] == pytest.approx(table.loc[("b vs a", first), "nes"])


def test_dots_of_one_contrast_lie_at_their_effect(adata):
    sets = ["down", "null 1", "up"]
    ax = dex.pl.enrich_dotplot(adata, "b vs a", sets=sets)
    assert ax.get_xlabel() == "normalised enrichment score"
    table = dex.get.enrich_df(adata, "b vs a").set_index("gene_set")
    for (x, _), name in zip(ax.collections[0].get_offsets(), labels(ax), strict=True):
        assert x == pytest.approx(table.loc[name, "nes"])
    assert labels(ax)[0] == "up"
    assert labels(ax)[-1] == "down"


def test_bars_go_to_their_side(adata):
    axes = dex.pl.enrich_bar(adata)
    assert [ax.get_title().split("\n")[0] for ax in axes] == ["b vs a", "c vs a"]
    ax = dex.pl.enrich_bar(adata, "b vs a", sets=["up", "down", "null 1"])
    widths = {name: bar.get_width() for name, bar in zip(labels(ax), ax.patches, strict=True)}
    assert widths["up"] > 1.3
    assert widths["down"] < -1.3
    colours = [to_hex(bar.get_facecolor()) for bar in ax.patches]
    assert colours[0] == UP
    assert colours[-1] == DOWN
    called = [bar.get_alpha() for bar in ax.patches]
    assert called[0] == 1
    assert min(called) < 1


def test_representatives_stand_for_others(adata):
    some = labels(dex.pl.enrich_bar(adata, "b vs a"))
    every = labels(dex.pl.enrich_bar(adata, "b vs a", representative=False))
    assert {"up", "up too"} <= set(every)
    assert not {"up", "up too"} <= set(some)


def test_where_no_set_is_called_the_best_are_shown_and_it_is_said(adata):
    ax = dex.pl.enrich_bar(adata, "b vs a", padj=1e-300, n_sets=3)
    assert "no set at padj ≤ 1e-300: best by p" in ax.get_xlabel()
    assert len(ax.patches) == 3


def test_running_scores_reach_the_score_of_the_table(adata):
    ax = dex.pl.running_score(adata, ["up", "down"], "b vs a")
    table = dex.get.enrich_df(adata, "b vs a").set_index("gene_set")
    lines = {line.get_label(): line.get_ydata() for line in ax.lines}
    for name in ("up", "down"):
        y = np.asarray(lines[name])
        assert y[np.abs(y).argmax()] == pytest.approx(table.loc[name, "score"])
        assert y[0] == y[-1] == 0
    ticks = next(a for a in ax.figure.axes if a.get_label() == "genes of the sets")
    assert sum(len(lines.get_segments()) for lines in ticks.collections) == 40
    words = [text.get_text() for text in ax.figure.texts]
    assert any(text.startswith("up\nNES") for text in words)


def test_ridges_are_as_many_as_sets(adata):
    ax = dex.pl.enrich_ridge(adata, "b vs a", n_sets=4)
    assert len(labels(ax)) * 2 == len(ax.collections)
    assert ax.get_xlabel() == "z-score of the genes"


def test_network_joins_sets_and_their_leading_genes(adata):
    ax = dex.pl.enrich_network(adata, "b vs a", sets=["up", "up too"], n_genes=10)
    table = dex.get.enrich_df(adata, "b vs a").set_index("gene_set")
    genes = [table.loc[name, "leading_edge"].split(";")[:10] for name in ("up", "up too")]
    drawn = {one.get_label(): one for one in ax.collections}
    assert len(drawn["genes"].get_offsets()) == len(set(genes[0]) | set(genes[1]))
    assert len(drawn["sets"].get_offsets()) == 2
    n_lines = sum(len(one.get_segments()) for one in ax.collections if hasattr(one, "get_segments"))
    assert n_lines == sum(map(len, genes))


def test_map_joins_sets_that_overlap(adata):
    ax = dex.pl.enrich_map(adata, "b vs a", sets=["up", "up too", "down"], overlap=0.5)
    assert len(ax.collections[0].get_segments()) == 1
    assert len(ax.texts) == 3
    ax = dex.pl.enrich_map(adata, "b vs a", sets=["up", "up too", "down"], overlap=0.9)
    assert len(ax.collections[0].get_segments()) == 0


def test_leading_edges_are_fields(adata):
    ax = dex.pl.leading_edge(adata, "b vs a", sets=["up", "down"], n_genes=12)
    genes = [label.get_text() for label in ax.get_xticklabels()]
    assert len(genes) == 12
    fields = ax.collections[0].get_array().reshape(2, 12)
    table = dex.get.enrich_df(adata, "b vs a").set_index("gene_set")
    metric = dex.get.ranked_genes_df(adata, "b vs a").set_index("gene")["metric"]
    for row, name in zip(fields, labels(ax), strict=True):
        own = set(table.loc[name, "leading_edge"].split(";"))
        for value, gene in zip(row, genes, strict=True):
            assert np.ma.is_masked(value) == (gene not in own)
            if gene in own:
                assert value == pytest.approx(metric[gene])


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("enrich_dotplot", {"sets": ["nothing"]}, "none of the gene sets"),
        ("enrich_dotplot", {"contrast": "x"}, "was not tested"),
        ("enrich_bar", {"key": "nowhere"}, "holds no tested gene sets"),
        ("enrich_bar", {"n_sets": 0}, "n_sets=0"),
        ("enrich_ridge", {"padj": 2}, "padj=2"),
        ("running_score", {"sets": []}, "0 sets"),
        ("enrich_map", {"overlap": 0}, "overlap=0"),
        ("leading_edge", {"save": "picture.bmp"}, "does not end"),
    ],
)
def test_what_cannot_be_drawn(adata, name, options, words):
    before = plt.get_fignums()
    with pytest.raises(InputError, match=words):
        getattr(dex.pl, name)(adata, **options)
    assert plt.get_fignums() == before


def test_one_bar_panel_in_given_axes(adata):
    _, ax = plt.subplots()
    with pytest.raises(InputError, match="ax= holds one contrast"):
        dex.pl.enrich_bar(adata, ax=ax)


def test_long_names_are_wrapped():
    lines = wrapped_name(LONG, 30).split("\n")
    assert len(lines) == 3
    assert lines[-1].endswith("…")
    assert max(map(text_width, lines)) < 34
    assert wrapped_name("A" * 60, 30).count("\n") == 2
    assert wrapped_name("GO_term with_both", 60) == "GO_term with_both"


def test_places_of_a_graph_are_those_of_its_distances():
    chain = np.array([[0, 1], [1, 2], [2, 3], [4, 5]])
    places = graph_places(7, chain, np.ones(4))
    assert places.min() == 0
    assert places.max() == 1
    gaps = np.linalg.norm(places[:, None] - places, axis=2)
    assert gaps[0, 1] < gaps[0, 2] < gaps[0, 3]
    assert gaps[np.triu_indices(7, 1)].min() > 0.05  # no two at one place
    assert np.array_equal(places, graph_places(7, chain, np.ones(4)))


def test_names_of_sets_in_a_network_keep_clear_of_nodes():
    spot, size, body = np.array([20.0, 20.0]), (10.0, 3.0), (40.0, 40.0)
    above = _free_place(spot, size, [], body)
    assert above[1] > spot[1]
    dot = (19.0, 23.0, 21.0, 25.0)
    below = _free_place(spot, size, [dot], body)
    assert below[3] < spot[1]
    at_the_edge = _free_place(np.array([0.0, 39.0]), size, [], body)
    assert at_the_edge[0] >= 0
    assert at_the_edge[3] <= body[1]


def test_a_note_on_many_contrasts_counts_them(adata):
    figure = dex.pl.enrich_dotplot(adata, padj=1e-300, return_fig=True)
    words = [text.get_text() for text in figure.texts]
    assert "no set at padj ≤ 1e-300 in 2 of 2 contrasts: best by p" in words
