from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest

import dex
import dex.pl
from dex.errors import InputError
from dex.pl._labels import LINES
from dex.pl._ma_drawing import expression_unit


@pytest.fixture(scope="module")
def ranked():
    adata = dex.datasets.simulate_counts(1500, 4, seed=1, log2fc_sd=2)
    dex.tl.rank_genes(adata, groupby="condition", method="ols")
    return adata


@pytest.fixture
def result(ranked):
    return ranked.copy()


def drawn(ax, *labels):
    return np.vstack([s.get_offsets() for s in ax.collections if s.get_label() in labels])


EVERY = ("up", "down", "not significant", "beyond the axes")


def texts(ax):
    return [text.get_text() for text in ax.texts]


def test_points_are_the_table(result):
    ax = dex.pl.ma(result)
    table = dex.get.rank_genes_df(result)
    table = table[table["base_mean"] > 0].dropna(subset="log2fc")
    points = drawn(ax, *EVERY)
    assert len(points) == len(table)
    np.testing.assert_allclose(np.sort(points[:, 0]), np.sort(table["base_mean"]))
    called = table[table["padj"] <= 0.05]
    up, down = (
        next(t for t in ax.texts if way in t.get_text().split("\N{NO-BREAK SPACE}")[part])
        for way, part in ((" up", 0), (" down", 1))
    )
    assert up.get_text().startswith(f"{(called['log2fc'] > 0).sum()} up")
    assert down.get_text().endswith(f"{(called['log2fc'] < 0).sum()} down")
    assert up.xy == (1, 1)  # beside the genes counted, above and below each other
    assert down.xy == (1, 0)
    assert up.get_rotation() == down.get_rotation() == 90
    np.testing.assert_allclose(
        np.sort(drawn(ax, "up")[:, 1]), np.sort(called["log2fc"][called["log2fc"] > 0])
    )
    assert ax.get_xscale() == "log"
    assert "↑\N{NO-BREAK SPACE}higher in treated" in texts(ax)


def test_extreme_changes_are_triangles_and_counted(result):
    ax = dex.pl.ma(result, y_limit=1, n_labels=0)
    table = dex.get.rank_genes_df(result)
    n_beyond = int((table["log2fc"].abs() > 1).sum())
    assert len(drawn(ax, "beyond the axes")) == n_beyond
    assert len(drawn(ax, *EVERY)) == table["log2fc"].notna().sum()
    low, high = ax.get_ylim()
    assert (np.abs(drawn(ax, *EVERY)[:, 1]) <= 1).all()
    assert -1.1 < low < high < 1.1
    assert any(text.startswith(f"{n_beyond:,} beyond the axes") for text in texts(ax))


def test_trend_shows_a_shift(result):
    def median_line(ax):
        (line,) = [line for line in ax.lines if line.get_label() == "_median"]
        return np.asarray(line.get_ydata())

    plain = dex.pl.ma(result)
    assert np.abs(np.median(median_line(plain))) < 0.2
    result.varm["rank_genes_log2fc"] += 0.7
    shifted = dex.pl.ma(result)
    np.testing.assert_allclose(median_line(shifted), median_line(plain) + 0.7, atol=1e-9)
    assert any("move together" in text.replace("\n", " ") for text in texts(shifted))
    assert not any("move together" in text.replace("\n", " ") for text in texts(plain))


def test_genes_without_mean_are_counted(result):
    result.varm["rank_genes_base_mean"][:7] = np.nan
    n_without = int((~(result.varm["rank_genes_base_mean"] > 0)).sum())
    ax = dex.pl.ma(result)
    assert any(text.startswith(f"{n_without} without expression") for text in texts(ax))
    assert len(drawn(ax, *EVERY)) == 1500 - n_without


def test_refuses_what_it_cannot_draw(result):
    with pytest.raises(InputError, match=r"value='log2fc_shrunk' is not.*'log2fc'"):
        dex.pl.ma(result, value="log2fc_shrunk")
    with pytest.raises(InputError, match="y_limit="):
        dex.pl.ma(result, y_limit=-2)
    result.varm["rank_genes_base_mean"][:] = np.nan
    with pytest.raises(InputError, match="no gene with a positive mean"):
        dex.pl.ma(result)
    result.varm["rank_genes_log2fc"][:] = np.nan
    with pytest.raises(InputError, match="omnibus"):
        dex.pl.ma(result)


def test_no_column_of_means(bulk):
    with pytest.raises(InputError, match="no column 'base_mean'"):
        dex.pl.ma(bulk)


def test_genes_asked_for_and_classes(result):
    wanted = list(result.var_names[:25])
    ax = dex.pl.ma(result, genes=wanted, highlight={"mine": wanted[:3]}, n_labels=3)
    assert set(wanted) <= set(texts(ax))
    assert len(drawn(ax, "mine")) == 3
    assert len(drawn(ax, "_asked for")) == 25
    assert np.isfinite(ax.get_xlim()).all()
    assert ax.get_xlim()[0] > 0


@pytest.mark.parametrize(
    ("params", "unit"),
    [
        ({"source_scale": "counts", "scale": "logcpm"}, "CPM"),
        ({"source_scale": "logcpm", "scale": "logcpm"}, "CPM"),
        ({"source_scale": "counts", "scale": "ln1p"}, "counts per median library"),
        (
            {"source_scale": "counts", "scale": "ln1p", "size_factors": "library"},
            "counts per median library",
        ),
        ({"source_scale": "ln1p", "scale": "ln1p"}, "unlogged values"),
        ({"source_scale": "linear", "scale": "linear"}, "values of the layer"),
    ],
)
def test_unit_is_named(params, unit):
    assert expression_unit(params) == unit


def test_panels_and_axes_given():
    adata = dex.datasets.simulate_counts(300, 4, groups=("a", "b", "c"), seed=2)
    dex.tl.rank_genes(adata, groupby="condition", method="t-test-student", replicate=None)
    axes = dex.pl.ma(adata)
    assert [ax.get_title() for ax in axes] == list(dex.get.tests_df(adata)["name"])
    _, ax = plt.subplots()
    assert dex.pl.ma(adata, test="b", ax=ax, title="") is ax
    with pytest.raises(InputError, match="ax= holds one test"):
        dex.pl.ma(adata, ax=ax)


def test_saves(result, tmp_path):
    for suffix in ("png", "pdf", "svg"):
        dex.pl.ma(result, save=tmp_path / f"ma.{suffix}")
        assert (tmp_path / f"ma.{suffix}").stat().st_size > 5000


def test_names_stay_on_the_side_of_their_genes_and_near(result):
    effect = dex.get.rank_genes_df(result).set_index("gene")["log2fc"]
    ax = dex.pl.ma(result, n_labels=20)
    written = [t for t in ax.texts if t.get_text() in effect.index]
    assert len(written) >= 5
    for text in written:
        assert text.get_position()[1] * effect[text.get_text()] > 0
    segments = [s for c in ax.collections if c.get_gid() == LINES for s in c.get_segments()]
    ends = [ax.transData.transform(s) for s in segments]
    assert max(np.hypot(*(b - a)) for a, b in ends) * 72 / ax.figure.dpi <= 36


def test_a_symbol_among_ids_says_which_column_has_it(result):
    result.var["symbol"] = [f"SYM{j}" for j in range(result.n_vars)]
    with pytest.raises(InputError, match="give gene_symbols='symbol'"):
        dex.pl.ma(result, genes="SYM3")


def test_without_p_values_nothing_is_counted():
    adata = dex.datasets.simulate_counts(n_genes=100, n_per_group=1, seed=1)
    dex.tl.rank_genes(adata, groupby="condition")
    words = [text.get_text() for text in dex.pl.ma(adata).texts]
    assert any("no p-values" in text for text in words)
    assert not any("up" in text.split() or "no gene at" in text for text in words)
