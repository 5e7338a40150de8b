"""pl.pca and pl.mds: what is drawn is what the maps hold."""

from __future__ import annotations

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from anndata import AnnData
from matplotlib.figure import Figure
from matplotlib.offsetbox import AnchoredOffsetbox, TextArea

import dex.pl
from dex.errors import InputError
from dex.pl._theme import FAINT


@pytest.fixture
def samples(bulk):
    """The ranked samples of the conftest, with maps as ``tl`` writes them."""
    rng = np.random.default_rng(0)
    bulk.obsm["X_pca"] = rng.normal(0, [9, 5, 2], (8, 3))
    bulk.varm["PCs"] = rng.normal(0, 0.05, (400, 3))
    bulk.varm["PCs"][[7, 9], :2] = [[0.9, 0.0], [0.0, -0.9]]
    bulk.uns["pca"] = {"variance_ratio": np.array([0.431, 0.2, 0.052]), "params": {}}
    bulk.obsm["X_mds"] = rng.normal(0, 1, (8, 2))
    bulk.uns["mds"] = {"variance_ratio": np.full(8, 0.125), "params": {}}
    return bulk


def repeated(adata, rows):
    """Observations again and again, under names of their own."""
    names = [f"o{i}" for i in range(len(rows))]
    other = AnnData(adata.X[rows], obs=adata.obs.iloc[rows].set_axis(names), var=adata.var)
    other.obsm["X_pca"] = adata.obsm["X_pca"][rows]
    return other


@pytest.fixture
def many(cells):
    cells.obsm["X_pca"] = np.random.default_rng(0).normal(0, [4, 3], (100, 2))
    cells.uns["pca"] = {"variance_ratio": np.array([0.3, 0.2]), "params": {"scale": "ln1p"}}
    return cells


def points(ax):
    return [c for c in ax.collections if c.get_label().startswith("points")]


def drawn(ax):
    """Places and colours of the points, in the order of their x."""
    xy = np.vstack([c.get_offsets() for c in points(ax)])
    rgb = np.vstack(
        [np.broadcast_to(c.get_facecolor()[:, :3], (len(c.get_offsets()), 3)) for c in points(ax)]
    )
    order = np.argsort(xy[:, 0])
    return xy[order], rgb[order]


def keys(ax):
    return [box for box in ax.artists if isinstance(box, AnchoredOffsetbox)]


def key_words(ax):
    return [
        area.get_text() for box in keys(ax) for area in box.findobj(TextArea) if area.get_text()
    ]


def names(ax, prefix="sample"):
    return sorted(t.get_text() for t in ax.texts if t.get_text().startswith(prefix))


def test_points_are_those_of_the_map_in_the_colours_of_their_groups(samples):
    ax = dex.pl.pca(samples, "batch")
    xy, rgb = drawn(ax)
    order = np.argsort(samples.obsm["X_pca"][:, 0])
    np.testing.assert_allclose(xy, samples.obsm["X_pca"][order, :2])
    batch = samples.obs["batch"].to_numpy()[order]
    assert len({tuple(colour) for colour in rgb[batch == "a"]}) == 1
    assert not np.array_equal(rgb[batch == "a"][0], rgb[batch == "b"][0])
    assert key_words(ax) == ["batch", "a", "b"]


def test_axes_say_how_much_of_the_variance_they_have(samples):
    ax = dex.pl.pca(samples)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("PC1 (43%)", "PC2 (20%)")
    ax = dex.pl.pca(samples, components=(3, 1))
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("PC3 (5.2%)", "PC1 (43%)")
    ax = dex.pl.mds(samples)
    label = "Leading log₂ fold change, dim 2 (12%)"
    assert ax.get_ylabel().replace(",\n", ", ") == label
    del samples.uns["pca"]
    assert dex.pl.pca(samples).get_xlabel() == "PC1"


def test_default_colour_is_what_was_compared(samples):
    assert key_words(dex.pl.pca(samples)) == ["condition", "control", "treated"]
    del samples.uns["rank_genes"]
    ax = dex.pl.pca(samples)
    assert keys(ax) == []
    np.testing.assert_allclose(drawn(ax)[1], np.tile(mpl.colors.to_rgb(FAINT), (8, 1)))


def test_colours_that_scanpy_has_stored(samples):
    samples.uns["condition_colors"] = ["#112233", "#445566"]
    found = {mpl.colors.to_hex(colour) for colour in drawn(dex.pl.pca(samples))[1]}
    assert found == {"#112233", "#445566"}


def test_few_samples_are_named_beside_their_points(samples, many):
    ax = dex.pl.pca(samples)
    assert names(ax) == sorted(samples.obs_names)
    boxes = [t.get_window_extent() for t in ax.texts if t.get_text()]
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])
    inside = [ax.bbox.x0 <= box.x0 and box.x1 <= ax.bbox.x1 for box in boxes]
    assert all(inside)
    assert names(dex.pl.pca(samples, labels=None)) == []
    assert names(dex.pl.pca(samples, labels=["sample3"])) == ["sample3"]
    assert names(dex.pl.pca(samples, labels="condition"), "control") == ["control"] * 4
    assert names(dex.pl.pca(many), "c") == []


def test_names_of_groups_take_the_place_of_the_key(many):
    centres = np.array([[0, 0], [30, 0], [0, 30], [30, 30]])
    many.obs["cell_type"] = many.obs["cell_type"].cat.remove_categories("pDC").fillna("B")
    many.obsm["X_pca"] = many.obsm["X_pca"] + centres[many.obs["cell_type"].cat.codes]
    ax = dex.pl.pca(many, "cell_type", labels="groups")
    assert keys(ax) == []
    written = {t.get_text(): t for t in ax.texts}
    assert set(written) == set(many.obs["cell_type"].cat.categories)
    boxes = [t.get_window_extent() for t in written.values()]
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])
    largest = many.obsm["X_pca"][many.obs["cell_type"] == "T"]
    place = written["T"].get_position()
    np.testing.assert_allclose(place[0], np.median(largest[:, 0]), atol=1.5)


def test_the_key_stays_where_groups_overlap_or_are_few(many, samples):
    assert len(keys(dex.pl.pca(many, "cell_type", labels="groups"))) == 1
    assert len(keys(dex.pl.pca(samples, "condition", labels="groups"))) == 1


def test_no_name_of_a_group_is_nearer_to_another(samples):
    samples.obsm["X_pca"][:, :2] = [
        *([0, 0], [1, 0], [2, 0], [0, 1]),
        *([2.5, 0], [3, 1], [3, 0], [3, 2]),
    ]
    ax = dex.pl.pca(samples, "condition", labels="groups")
    ax.figure.draw_without_rendering()
    spots = ax.transData.transform(samples.obsm["X_pca"][:, :2])
    written = [t for t in ax.texts if t.get_text() in {"control", "treated"}]
    assert len(written) == 2
    for text in written:
        box = text.get_window_extent()
        away = spots - np.clip(spots, box.p0, box.p1)
        nearest = np.hypot(*away.T).argmin()
        assert samples.obs["condition"].iloc[nearest] == text.get_text()


def test_markers(samples):
    ax = dex.pl.pca(samples, "condition", shape="batch")
    assert key_words(ax) == ["condition", "control", "treated", "batch", "a", "b"]
    shapes = [c.get_paths()[0].vertices.shape for c in points(ax)]
    assert len(points(ax)) == 2
    assert shapes[0] != shapes[1]
    assert key_words(dex.pl.pca(samples, "batch", shape="batch")) == ["batch", "a", "b"]


def test_a_gene_and_a_number_have_a_scale(samples):
    ax = dex.pl.pca(samples, "SYM3", gene_symbols="symbol")
    assert key_words(ax)[0] == "SYM3"
    low = np.asarray(samples.X[:, 3]).argmin()
    here = np.argsort(np.argsort(samples.obsm["X_pca"][:, 0]))[low]
    np.testing.assert_allclose(drawn(ax)[1][here], mpl.colormaps["viridis"](0.0)[:3])
    ax = dex.pl.pca(samples, "age")
    assert key_words(ax) == ["age", "31", "61", "missing"]
    (missing,) = [c for c in points(ax) if c.get_label() == "points without a value"]
    np.testing.assert_allclose(missing.get_offsets()[0], samples.obsm["X_pca"][5, :2])


def test_a_colour_or_pair_each_has_a_panel(samples):
    axes = dex.pl.pca(samples, ["condition", "gene3"])
    assert [key_words(ax)[0] for ax in axes] == ["condition", "gene3"]
    axes = dex.pl.pca(samples, components=(1, 2, 3))
    labels = [(ax.get_xlabel()[:3], ax.get_ylabel()[:3]) for ax in axes]
    assert labels == [("PC1", "PC2"), ("PC1", "PC3"), ("PC2", "PC3")]
    assert [len(keys(ax)) for ax in axes] == [0, 0, 1], "one key serves all"
    assert len(dex.pl.pca(samples, components=[(1, 2), (3, 1)])) == 2


def test_key_is_clear_of_the_axes(samples, many):
    many.obs["cell_type"] = many.obs["cell_type"].cat.rename_categories(
        {"T": "a very long name of a cell type"}
    )
    for adata in (samples, many):
        ax = dex.pl.pca(adata)
        (key,) = keys(ax)
        box, figure = key.get_window_extent(), ax.figure.bbox
        assert not box.overlaps(ax.bbox)
        assert not box.overlaps(ax.xaxis.label.get_window_extent())
        assert box.x0 >= figure.x0
        assert box.x1 <= figure.x1
        assert box.y0 >= figure.y0
        assert ax.bbox.width > 0.45 * figure.width


def test_arrows_are_the_genes_of_the_largest_loadings(samples):
    ax = dex.pl.pca(samples, loadings=2, labels=None)
    written = {t.get_text(): t for t in ax.texts if t.get_text()}
    assert set(written) == {"gene7", "gene9"}
    arrows = [t for t in ax.texts if not t.get_text()]
    ends = np.array([t.xy for t in arrows])
    assert len(ends) == 2
    assert ends[0][0] > 0
    assert ends[1][1] < 0
    np.testing.assert_allclose([ends[0][1], ends[1][0]], 0, atol=1e-12)
    limits = np.array([ax.get_xlim(), ax.get_ylim()])
    assert ((ends > limits[:, 0]) & (ends < limits[:, 1])).all()


def test_scale_is_the_same_on_both_axes_where_that_is_not_too_flat(samples):
    samples.obsm["X_pca"][:, 1] *= (
        0.8 * np.ptp(samples.obsm["X_pca"][:, 0]) / np.ptp(samples.obsm["X_pca"][:, 1])
    )
    ax = dex.pl.pca(samples)
    per_unit = [ax.bbox.width / np.ptp(ax.get_xlim()), ax.bbox.height / np.ptp(ax.get_ylim())]
    assert per_unit[0] == pytest.approx(per_unit[1], rel=0.02)


def test_dense_points_are_pixels_in_random_but_fixed_order(many):
    big = repeated(many, np.tile(np.arange(100), 30))
    (first,) = points(dex.pl.pca(big))
    assert first.get_rasterized()
    assert not np.array_equal(first.get_offsets(), big.obsm["X_pca"])
    offsets = np.array(first.get_offsets())
    (second,) = points(dex.pl.pca(big))
    np.testing.assert_array_equal(second.get_offsets(), offsets)


def test_given_axes_figures_and_files(samples, tmp_path):
    _, ax = plt.subplots()
    assert dex.pl.pca(samples, ax=ax) is ax
    figure = dex.pl.mds(samples, return_fig=True, save=tmp_path / "a.pdf", title="map")
    assert isinstance(figure, Figure)
    assert (tmp_path / "a.pdf").stat().st_size > 1000
    assert round(25.4 * figure.get_size_inches()[0]) == 85
    assert figure.axes[0].get_title() == "map"
    wide = dex.pl.pca(samples, figsize=(7, 3), return_fig=True)
    assert tuple(wide.get_size_inches()) == pytest.approx((7, 3))


def test_nothing_is_changed(samples):
    before = (list(samples.obs), sorted(samples.uns), sorted(samples.obsm))
    dex.pl.pca(samples, ["condition", "gene3"], loadings=3)
    assert (list(samples.obs), sorted(samples.uns), sorted(samples.obsm)) == before


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"color": "nope"}, "color='nope' is not a column"),
        ({"shape": "nope"}, "'nope' is not a column"),
        ({"shape": "many"}, "9 levels"),
        ({"components": (1, 4)}, "component 4 is not there; there are 3"),
        ({"components": (1, 1)}, "are no pairs"),
        ({"components": 1}, "are no pairs"),
        ({"labels": ["nope"]}, r"not in obs_names: \['nope'\]"),
        ({"labels": "nope"}, "'nope' is not a column"),
        ({"loadings": -1}, "loadings=-1"),
        ({"key": "nope"}, r"run dex\.tl\.pca\(adata, key_added='nope'\)"),
        ({"color": ["batch"] * 13}, "a figure holds 12 panels"),
    ],
)
def test_what_is_not_there_is_refused(samples, options, words):
    big = repeated(samples, [*range(8), 0])
    big.obs["many"] = list("abcdefghi")
    with pytest.raises(InputError, match=words):
        dex.pl.pca(big, **options)


def test_maps_that_were_not_made_say_what_to_run(bulk):
    with pytest.raises(InputError, match=r"run dex\.tl\.pca\(adata\) first"):
        dex.pl.pca(bulk)
    with pytest.raises(InputError, match=r"run dex\.tl\.mds\(adata\) first"):
        dex.pl.mds(bulk)
    bulk.obsm["X_pca"] = np.ones((8, 2))
    with pytest.raises(InputError, match="loadings=3: there are none"):
        dex.pl.pca(bulk, loadings=3)


def test_every_arrow_asked_for_is_drawn_and_named_and_no_text_hides_a_point(samples):
    samples.varm["PCs"][20:25, :2] = [0.8, 0.3] + np.arange(10).reshape(5, 2) / 200
    ax = dex.pl.pca(samples, loadings=7)
    ax.figure.draw_without_rendering()
    assert sum(t.arrow_patch is not None for t in ax.texts if hasattr(t, "arrow_patch")) == 7
    written = [t for t in ax.texts if t.get_text()]
    assert len([t for t in written if t.get_style() == "italic"]) == 7
    assert len(names(ax)) == 8
    spots = ax.transData.transform(samples.obsm["X_pca"][:, :2])
    radius = np.sqrt(points(ax)[0].get_sizes()[0]) / 2 * ax.figure.dpi / 72
    for text in written:
        box = text.get_window_extent()
        away = np.hypot(*(spots - np.clip(spots, box.p0, box.p1)).T)
        assert away.min() > 0.9 * radius
