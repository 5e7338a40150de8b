from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest

import dex.pl
from dex.design.tests import TestInfo
from dex.errors import InputError
from dex.get import calibration_df
from dex.pl._strips import palette
from dex.results import Result
from dex.results.store import store


def guides(adata, n, *, inflated=(), n_vars=400):
    """``n`` tests of 400 uniform p-values, some with their logs doubled."""
    rng = np.random.default_rng(2)
    log10_pval = np.log10(rng.uniform(size=(n_vars, n)))
    log10_pval[:, list(inflated)] *= 2
    columns = dict.fromkeys(("log2fc", "stat", "log10_pval", "log10_padj"), log10_pval)
    infos = [
        TestInfo(f"non-targeting guide {i:03d} vs rest", "group", f"NT{i}", "rest")
        for i in range(n)
    ]
    params = {"groupby": "guide", "reference": "rest"}
    store(adata, Result(columns, tuple(infos), (5,) * n, (9,) * n, params), key="null")
    return adata


def lines(ax):
    return {line.get_label(): line for line in ax.lines if not line.get_label().startswith("_")}


def texts(ax):
    return [text.get_text() for text in ax.texts]


def test_a_curve_and_a_row_for_each_test(bulk):
    ax = dex.pl.calibration(guides(bulk, 3, inflated=[1]), key="null")
    table = calibration_df(bulk, key="null")
    curves = lines(ax)
    assert list(curves) == table["test"].tolist()
    observed = np.sort(-bulk.varm["null_log10_pval"][:, 1])[::-1]
    np.testing.assert_array_equal(curves[table["test"][1]].get_ydata(), observed)
    words = texts(ax)
    assert f"{table['inflation'][1]:.2f}" in words
    assert f"{table['rate_0.001'][1] / 0.001:.1f}" in words
    assert "median of 3 tests" in words
    assert words.count("●") == 3
    assert ax.get_title() == "Calibration"


def test_of_many_tests_the_most_inflated_have_colours(bulk):
    ax = dex.pl.calibration(guides(bulk, 40, inflated=range(10, 16)), key="null")
    curves = lines(ax)
    assert len(curves) == 40
    coloured = {name[20:23] for name, line in curves.items() if line.get_color() in palette(8)}
    assert coloured == {f"{i:03d}" for i in range(10, 16)}
    assert texts(ax).count("●") == 6


def test_tests_are_chosen_by_pattern(bulk):
    ax = dex.pl.calibration(guides(bulk, 12), key="null", tests=["NT1", "NT1?"], title="")
    assert len(lines(ax)) == 3
    assert ax.get_title() == ""


def test_p_beyond_the_axis_are_triangles(bulk):
    adata = guides(bulk, 2)
    adata.varm["null_log10_pval"][4, 0] = -np.inf
    ax = dex.pl.calibration(adata, key="null", y_limit=5)
    (beyond,) = (line for line in ax.lines if line.get_label() == "_beyond")
    assert beyond.get_ydata().tolist() == [5.0]
    assert "1 beyond the axis (triangles)" in texts(ax)
    assert ax.get_ylim()[1] < 6


@pytest.mark.parametrize("n", [2, 30])
def test_nothing_is_cut_off_and_rows_do_not_meet(bulk, n):
    figure = dex.pl.calibration(guides(bulk, n), key="null", return_fig=True)
    figure.draw_without_rendering()
    (ax,) = figure.axes
    boxes = [text.get_window_extent() for text in (*ax.texts, ax.title)]
    for box in boxes:
        assert figure.bbox.x0 <= box.x0 <= box.x1 <= figure.bbox.x1
        assert figure.bbox.y0 <= box.y0
    for i, one in enumerate(boxes):
        assert not any(one.padded(-1).overlaps(other.padded(-1)) for other in boxes[i + 1 :])
    assert figure.get_size_inches()[0] * 25.4 == pytest.approx(85)
    assert ax.bbox.height > 0.45 * figure.bbox.height


def test_axes_given_and_files(bulk, tmp_path):
    _, ax = plt.subplots()
    assert dex.pl.calibration(guides(bulk, 2), key="null", ax=ax) is ax
    dex.pl.calibration(bulk, key="null", return_fig=True, save=tmp_path / "c.pdf")
    assert (tmp_path / "c.pdf").stat().st_size > 1000


def test_what_cannot_be_drawn_is_refused(bulk):
    guides(bulk, 201)
    with pytest.raises(InputError, match="201 tests are more than a plot holds"):
        dex.pl.calibration(bulk, key="null")
    bulk.varm["null_log10_pval"][:, 0] = np.nan
    with pytest.raises(InputError, match="nothing to draw"):
        dex.pl.calibration(bulk, key="null", tests="NT0")
    with pytest.raises(InputError, match="y_limit=0"):
        dex.pl.calibration(bulk, key="null", y_limit=0)
