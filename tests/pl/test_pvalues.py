from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from scipy.stats import beta

import dex.pl
from dex.errors import InputError
from dex.get import pvalue_shape
from dex.pl._pvalues_drawing import Quantiles

N_BARS = 40


def texts(ax):
    return [text.get_text().replace("\n", " ") for text in ax.texts]


def heights(ax):
    return np.array([bar.get_height() for bar in ax.patches]).reshape(2, N_BARS).sum(axis=0)


def markers(ax, label):
    return [one for one in ax.collections if one.get_label() == label]


def test_bars_are_the_histogram(bulk):
    ax = dex.pl.pvalues(bulk)
    pval = bulk.varm["rank_genes_pval"][:, 0]
    expected = np.histogram(pval[~np.isnan(pval)], bins=N_BARS, range=(0, 1))[0]
    np.testing.assert_allclose(heights(ax), expected)
    assert expected.sum() == 390


def test_lines_are_the_uniform_and_the_null_level(bulk):
    ax = dex.pl.pvalues(bulk)
    shape = pvalue_shape(bulk)
    levels = {line.get_label(): line.get_ydata()[0] for line in ax.lines}
    assert levels["_uniform"] == pytest.approx(390 / N_BARS)
    assert levels["_null"] == pytest.approx(shape.pi0 * 390 / N_BARS)
    assert any(f"an estimated {100 * shape.pi0:.0f} % of 390" in text for text in texts(ax))
    assert shape.sentence in texts(ax)


def test_highest_bar_is_cut_and_its_height_written(bulk, restored):
    rng = np.random.default_rng(0)
    stat = rng.normal(0, 1, 400)
    stat[:150] = 30.0
    ax = dex.pl.pvalues(restored(bulk, stat, stat))
    first = int(heights(ax)[0])
    assert first >= 150
    assert ax.get_ylim()[1] < 0.6 * first
    assert f"↑ {first}" in texts(ax)


def test_quantiles_follow_the_order_statistics():
    rng = np.random.default_rng(4)
    log10_pval = np.log10(rng.uniform(size=50_000))
    points = Quantiles.of(log10_pval, y_limit=None)
    assert len(points.observed) < 2000
    assert points.observed[0] == -log10_pval.min()
    assert points.observed[-1] == -log10_pval.max()
    k = 7
    low, high = beta.ppf([0.975, 0.025], k, 50_000 + 1 - k)
    assert points.low[k - 1] == pytest.approx(-np.log10(low))
    assert points.high[k - 1] == pytest.approx(-np.log10(high))
    inside = (points.observed >= points.low) & (points.observed <= points.high)
    assert inside.mean() > 0.8


def test_extreme_p_is_clipped_and_counted(bulk, restored):
    rng = np.random.default_rng(3)
    adata = restored(bulk, rng.normal(0, 1, 400), rng.normal(0, 1, 400))
    adata.varm["rank_genes_log10_pval"][5] = -np.inf
    adata.varm["rank_genes_log10_pval"][6] = -5000
    ax = dex.pl.pvalues(adata, kind="qq")
    (beyond,) = markers(ax, "beyond the axes")
    assert len(beyond.get_offsets()) == 2
    assert len(markers(ax, "genes")[0].get_offsets()) == 398
    assert any(text.startswith("2 beyond") and text.endswith("p = 0") for text in texts(ax))
    assert np.isfinite(ax.get_ylim()).all()
    assert f"λ = {pvalue_shape(adata).inflation:.2f}" in texts(ax)


def test_panels_axes_given_and_files(cells, bulk, tmp_path):
    assert len(dex.pl.pvalues(cells)) == 4
    assert len(dex.pl.pvalues(cells, kind="qq", test=["B", "T"])) == 2
    _, ax = plt.subplots()
    assert dex.pl.pvalues(cells, "B", ax=ax, title="mine") is ax
    assert ax.get_title() == "mine"
    figure = dex.pl.pvalues(bulk, return_fig=True, save=tmp_path / "p.pdf")
    assert figure.get_size_inches()[0] * 25.4 == pytest.approx(85)
    assert (tmp_path / "p.pdf").stat().st_size > 1000


@pytest.mark.parametrize("kind", ["histogram", "qq"])
def test_nothing_is_cut_off(bulk, kind):
    figure = dex.pl.pvalues(bulk, kind=kind, return_fig=True)
    figure.draw_without_rendering()
    (ax,) = figure.axes
    for text in (*ax.texts, ax.title, ax.xaxis.label, ax.yaxis.label):
        box = text.get_window_extent()
        assert figure.bbox.x0 <= box.x0 <= box.x1 <= figure.bbox.x1
        assert figure.bbox.y0 <= box.y0 <= box.y1 <= figure.bbox.y1


def test_refuses_what_it_cannot_draw(bulk, restored):
    with pytest.raises(InputError, match="kind='pie'"):
        dex.pl.pvalues(bulk, kind="pie")
    with pytest.raises(InputError, match="y_limit=0"):
        dex.pl.pvalues(bulk, kind="qq", y_limit=0)
    none = np.full(400, np.nan)
    with pytest.raises(InputError, match="no p-value for any gene"):
        dex.pl.pvalues(restored(bulk, none, np.ones(400)))
