from __future__ import annotations

import numpy as np
import pytest
from anndata import AnnData
from matplotlib.figure import Figure
from scipy.spatial.distance import pdist, squareform

import dex.pl
from dex.errors import InputError


@pytest.fixture
def samples(bulk):
    """Two groups far apart, samples of both in turn."""
    places = np.random.default_rng(0).normal(size=(8, 3)) + 8 * (np.arange(8) % 2)[:, None]
    bulk.obsp["mds_distances"] = squareform(pdist(places))
    return bulk


def image(ax):
    return ax.images[0].get_array()


def part(ax, label):
    (found,) = [other for other in ax.figure.axes if other.get_label() == label]
    return found


def test_cells_are_the_distances_of_the_samples_named(samples):
    ax = dex.pl.sample_distances(samples)
    names = [tick.get_text() for tick in ax.get_yticklabels()]
    assert names == [tick.get_text() for tick in ax.get_xticklabels()]
    order = samples.obs_names.get_indexer(names)
    assert sorted(order) == list(range(8))
    expected = samples.obsp["mds_distances"][np.ix_(order, order)]
    np.testing.assert_allclose(np.ma.filled(image(ax), 0), expected)
    assert np.ma.getmaskarray(image(ax)).sum() == 8, "the diagonal says nothing"


def test_like_is_beside_like(samples):
    ax = dex.pl.sample_distances(samples)
    names = [tick.get_text() for tick in ax.get_yticklabels()]
    odd = samples.obs_names.get_indexer(names) % 2
    assert abs(np.diff(odd)).sum() == 1


def test_numbers_are_written_where_there_is_room(samples):
    ax = dex.pl.sample_distances(samples)
    assert len(ax.texts) == 56
    for text in ax.texts:
        x, y = (int(place) for place in text.get_position())
        assert text.get_text() == f"{image(ax)[y, x]:.1f}"
    assert not dex.pl.sample_distances(samples, numbers=False).texts


def test_bars_of_colour_follow_the_samples(samples):
    ax = dex.pl.sample_distances(samples, ["batch", "age"])
    names = [tick.get_text() for tick in ax.get_yticklabels()]
    batch = samples.obs["batch"].loc[names].to_numpy()
    rgb = part(ax, "bar of batch").images[0].get_array()[0]
    assert len(np.unique(rgb[batch == "a"], axis=0)) == 1
    assert not np.array_equal(rgb[batch == "a"][0], rgb[batch == "b"][0])
    part(ax, "legend of batch")
    part(ax, "bar of age")


def test_default_bar_is_what_was_compared(samples):
    part(dex.pl.sample_distances(samples), "bar of condition")
    labels = {ax.get_label() for ax in dex.pl.sample_distances(samples, ()).figure.axes}
    assert labels == {"", "tree", "bar of colours"}


def test_unit_and_tree(samples):
    ax = dex.pl.sample_distances(samples)
    assert part(ax, "bar of colours").get_ylabel() == "leading\nlog₂ fold change"
    (lines,) = part(ax, "tree").collections
    assert len(lines.get_segments()) == 7


def test_everything_is_on_the_page(samples):
    samples.obs_names = [f"{name} of a donor with a long name" for name in samples.obs_names]
    figure = dex.pl.sample_distances(samples, ["condition", "batch"], title="t", return_fig=True)
    assert isinstance(figure, Figure)
    box = figure.get_tightbbox()
    width, height = figure.get_size_inches()
    assert box.x0 >= 0
    assert box.y0 >= 0
    assert box.x1 <= width
    assert box.y1 <= height


def test_many_samples_are_counted_not_named(samples):
    n = 120
    big = AnnData(np.ones((n, 2)))
    points = np.random.default_rng(1).normal(size=(n, 3))
    big.obsp["mds_distances"] = squareform(pdist(points))
    ax = dex.pl.sample_distances(big)
    assert ax.get_xlabel() == "120 samples"
    assert not ax.texts
    assert len(ax.get_yticks()) == 0


def test_figsize_and_file(samples, tmp_path):
    path = tmp_path / "d.svg"
    figure = dex.pl.sample_distances(samples, figsize=(5, 4), return_fig=True, save=path)
    assert tuple(figure.get_size_inches()) == pytest.approx((5, 4))
    assert path.stat().st_size > 1000


def test_what_is_not_there_is_refused(samples):
    with pytest.raises(InputError, match=r"run dex\.tl\.mds\(adata, key_added='x'\) first"):
        dex.pl.sample_distances(samples, key="x")
    with pytest.raises(InputError, match="'nope' is not a column"):
        dex.pl.sample_distances(samples, "nope")
