from __future__ import annotations

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from scipy import stats

import dex
from dex.errors import InputError
from dex.get import expression_df, rank_genes_df
from dex.pl._expression_points import beside, density
from dex.pl._expression_table import mean_interval
from dex.pl._expression_text import p_text

RTOL = 1e-10  # the same formula in another order of operations


@pytest.fixture
def paired() -> ad.AnnData:
    """Five donors before and after, counts; gene0 to gene4 go up."""
    rng = np.random.default_rng(4)
    mean = np.full((10, 300), 50.0)
    mean[5:, :5] *= 6
    obs = pd.DataFrame(
        {
            "donor": list("abcde") * 2,
            "time": pd.Categorical(["before"] * 5 + ["after"] * 5, ["before", "after"]),
            "age": np.arange(10.0) ** 1.1,
        },
        index=[f"s{i}" for i in range(10)],
    )
    var = pd.DataFrame({"symbol": [f"SYM{j}" for j in range(300)]})
    var.index = [f"gene{j}" for j in range(300)]
    return ad.AnnData(rng.poisson(mean).astype(float), obs=obs, var=var)


@pytest.fixture
def many_cells() -> ad.AnnData:
    """Two samples on each side of a treatment, 4 x 30 cells, counts."""
    rng = np.random.default_rng(5)
    sample = np.repeat(["s1", "s2", "s3", "s4"], 30)
    treated = np.isin(sample, ["s3", "s4"])
    mean = np.full((120, 60), 2.0)
    mean[treated, :5] = 9
    obs = pd.DataFrame(
        {"sample": sample, "arm": np.where(treated, "stim", "ctrl")},
        index=[f"c{i}" for i in range(120)],
    )
    var = pd.DataFrame(index=[f"gene{j}" for j in range(60)])
    return ad.AnnData(rng.poisson(mean).astype(float), obs=obs, var=var)


def points(ax) -> np.ndarray:
    return np.vstack([np.asarray(part.get_offsets()) for part in ax.collections if is_points(part)])


def is_points(part) -> bool:
    return type(part).__name__ == "PathCollection"


def labelled(ax, label: str) -> list:
    return [part for part in ax.get_children() if part.get_label() == label]


def test_a_point_for_each_sample_at_its_value(bulk):
    ax = dex.pl.expression(bulk, "gene3")
    logs = expression_df(bulk, "gene3").to_numpy().ravel()
    drawn = points(ax)
    np.testing.assert_allclose(np.sort(drawn[:, 1]), np.sort(logs), rtol=RTOL)
    assert (np.abs(drawn[:, 0] - np.rint(drawn[:, 0])) < 0.45).all()
    assert [t.get_text() for t in ax.get_xticklabels()] == ["control\nn=4", "treated\nn=4"]
    assert ax.get_ylabel() == "log₂ CPM"


def test_the_line_is_the_median_of_the_group(bulk):
    ax = dex.pl.expression(bulk, "gene3")
    heights = [part.get_segments()[0][0, 1] for part in labelled(ax, "median")]
    logs = expression_df(bulk, "gene3")["gene3"].groupby(bulk.obs["condition"], observed=True)
    np.testing.assert_allclose(heights, logs.median(), rtol=RTOL)


def test_what_the_result_says_is_written(bulk):
    figure = dex.pl.expression(bulk, ["gene3", "gene395"], return_fig=True)
    row = rank_genes_df(bulk).set_index("gene").loc["gene3"]
    words = [text.get_text() for ax in figure.axes for text in ax.texts]
    assert words == [f"padj {p_text(row['log10_padj'])}, log2fc {row['log2fc']:+.2f}", "no p-value"]
    assert not dex.pl.expression(bulk, "gene3", annotate=False).texts
    assert not dex.pl.expression(bulk, "gene3", groupby="batch").texts  # not what was tested


def test_of_several_tests_the_best_is_named(cells):
    (words,) = (text.get_text() for text in dex.pl.expression(cells, "gene25").texts)
    table = rank_genes_df(cells)
    best = table[table["gene"] == "gene25"].nsmallest(1, "log10_pval").iloc[0]
    assert words.split("\n")[0] == best["test"] == "B vs rest"


def test_best_genes_by_default(bulk, cells):
    axes = dex.pl.expression(bulk)
    assert [ax.get_title() for ax in axes] == list(rank_genes_df(bulk)["gene"][:6])
    titles = [ax.get_title() for ax in dex.pl.expression(cells)]
    assert [int(gene[4:]) // 20 for gene in titles] == [0, 1, 2, 3, 0, 1]


def test_block_of_a_paired_test_joins_its_pairs(paired):
    dex.tl.rank_genes(paired, groupby="time", method="t-test-paired", block="donor")
    ax = dex.pl.expression(paired, "gene0")
    lines = labelled(ax, "_pair")
    assert len(lines) == 5
    values = expression_df(paired, "gene0", key="rank_genes")["gene0"].to_numpy()
    ends = sorted(tuple(line.get_ydata()) for line in lines)
    np.testing.assert_allclose(ends, sorted(zip(values[:5], values[5:], strict=True)), rtol=RTOL)
    assert not labelled(dex.pl.expression(paired, "gene0", pairs=False), "_pair")


def test_a_complete_block_in_the_design_is_paired(paired):
    dex.tl.rank_genes(paired, groupby="time", design="~ donor + time", method="ols")
    assert len(labelled(dex.pl.expression(paired, "gene0"), "_pair")) == 5
    paired.obs["donor"] = list("abcde") + list("aabcd")
    dex.tl.rank_genes(paired, groupby="time", design="~ donor + time", method="ols")
    assert not labelled(dex.pl.expression(paired, "gene0"), "_pair")
    assert len(labelled(dex.pl.expression(paired, "gene0", pairs="donor"), "_pair")) == 4


def test_means_of_logs_are_lines_with_t_intervals(bulk):
    ax = dex.pl.expression(bulk, "gene3", kind="bar")
    logs = expression_df(bulk, "gene3")["gene3"].to_numpy()
    assert len(ax.patches) == 0
    heights = [line.get_segments()[0][0, 1] for line in labelled(ax, "mean")]
    np.testing.assert_allclose(heights, [logs[:4].mean(), logs[4:].mean()], rtol=RTOL)
    expected = stats.t.interval(0.95, 3, logs[:4].mean(), stats.sem(logs[:4]))
    drawn = labelled(ax, "95% CI")[0].get_segments()[0][:, 1]
    np.testing.assert_allclose(drawn, expected, rtol=1e-8)
    assert ax.get_ylim()[0] > 0  # nothing is drawn from a zero that means nothing


def test_means_of_linear_values_are_bars_from_zero(bulk):
    bulk.layers["scaled"] = 2.0 ** np.asarray(bulk.X)
    bulk.uns["dex_layers"]["scaled"] = {"scale": "linear"}
    ax = dex.pl.expression(bulk, "gene3", groupby="condition", layer="scaled", kind="bar")
    values = expression_df(bulk, "gene3", layer="scaled")["gene3"].to_numpy()
    heights = [bar.get_height() for bar in ax.patches]
    np.testing.assert_allclose(heights, [values[:4].mean(), values[4:].mean()], rtol=RTOL)
    assert ax.get_ylim()[0] <= 0


def test_interval_of_one_value_has_no_ends():
    assert np.isnan(mean_interval(np.array([3.0])).low)


def test_boxes_are_quartiles(bulk):
    bulk.obs["arm"] = list("aaaaabbb")
    figure = dex.pl.expression(bulk, "gene3", groupby="arm", kind="box", return_fig=True)
    ax = figure.axes[0]
    logs = expression_df(bulk, "gene3")["gene3"].to_numpy()
    (box,) = labelled(ax, "box")  # and none of the three
    lower, upper = np.percentile(logs[:5], [25, 75])
    np.testing.assert_allclose([box.get_y(), box.get_height()], [lower, upper - lower], rtol=RTOL)
    assert len(points(ax)) == 8
    assert figure.get_supxlabel() == "fewer than 5 observations: a line at the median, no box"


def test_counts_are_logs_when_drawn_and_have_no_bars(bulk):
    bulk.layers["counts"] = np.random.default_rng(0).poisson(50, bulk.shape).astype(float)
    ax = dex.pl.expression(
        bulk, "gene3", groupby="condition", layer="counts", scale="counts", kind="bar"
    )
    assert ax.get_ylabel() == "log expression"
    assert len(ax.patches) == 0


def test_violins_of_few_are_boxes_and_that_is_said(bulk):
    bulk.obs["arm"] = "all"
    figure = dex.pl.expression(bulk, "gene3", groupby="arm", kind="violin", return_fig=True)
    assert len(labelled(figure.axes[0], "box")) == 1
    assert figure.get_supxlabel() == "fewer than 10 observations: a box, no violin"
    figure = dex.pl.expression(bulk, "gene3", kind="points", return_fig=True)
    assert figure.get_supxlabel() == ""


def test_a_shared_symbol_is_refused_with_its_ids(bulk):
    bulk.var["symbol"] = ["DUP"] * 3 + list(bulk.var_names[3:])
    with pytest.raises(InputError, match=r"names 3 genes: 'gene0', 'gene1', 'gene2'; give their"):
        dex.pl.expression(bulk, "DUP", gene_symbols="symbol")


def test_minus_is_a_minus(bulk):
    ax = dex.pl.expression(bulk, "gene25")
    said = next(t.get_text() for t in ax.texts if "log2fc" in t.get_text())
    assert "log2fc \N{MINUS SIGN}" in said
    assert "-" not in said.split("log2fc")[1]


def test_many_cells_are_violins(cells):
    ax = dex.pl.expression(cells, "gene25")
    names = [type(part).__name__ for part in ax.collections]
    assert sum("FillBetween" in name or name == "PolyCollection" for name in names) == 3
    assert len(points(ax)) == 100  # every cell, also of the three pDC without a density
    few = dex.pl.expression(cells, "gene25", order=["pDC", "CD4/CD8 double"])
    assert [t.get_text()[:3] for t in few.get_xticklabels()] == ["pDC", "CD4"]
    assert len(points(few)) == 15


def test_hue_divides_the_groups(bulk):
    figure = dex.pl.expression(bulk, ["gene3", "gene4"], hue="batch", return_fig=True)
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["a", "b"]
    places = points(figure.axes[0])[:, 0]
    assert (np.sort(np.rint(places * 5) / 5) == np.repeat([-0.2, 0.2, 0.8, 1.2], 2)).all()


def test_a_covariate_is_along_the_axis(paired):
    dex.tl.rank_genes(paired, design="~ age", method="ols")
    ax = dex.pl.expression(paired, "gene0")
    assert ax.get_xlabel() == "age"
    values = expression_df(paired, "gene0", key="rank_genes")["gene0"]
    np.testing.assert_allclose(points(ax), np.column_stack([paired.obs["age"], values]), rtol=RTOL)
    (line,) = labelled(ax, "trend")
    fitted = stats.linregress(paired.obs["age"], values)
    expected = fitted.intercept + fitted.slope * paired.obs["age"].iloc[[0, -1]]
    np.testing.assert_allclose(line.get_ydata(), expected, rtol=1e-8)


def test_samples_are_drawn_where_cells_were_added_up(many_cells):
    dex.tl.rank_genes(many_cells, groupby="arm", replicate="sample", method="ols")
    ax = dex.pl.expression(many_cells, "gene0")
    assert [t.get_text() for t in ax.get_xticklabels()] == ["ctrl\nn=2", "stim\nn=2"]
    values = expression_df(many_cells, "gene0", key="rank_genes")["gene0"]
    np.testing.assert_allclose(np.sort(points(ax)[:, 1]), np.sort(values), rtol=RTOL)


def test_one_axis_for_all_genes(bulk):
    shared = dex.pl.expression(bulk, ["gene3", "gene25"], sharey=True)
    assert shared[0].get_ylim() == shared[1].get_ylim()
    logs = expression_df(bulk, ["gene3", "gene25"]).to_numpy()
    low, high = shared[0].get_ylim()
    assert low < logs.min()
    assert high > logs.max()
    free = dex.pl.expression(bulk, ["gene3", "gene25"])
    assert free[0].get_ylim() != free[1].get_ylim()


def test_in_given_axes(bulk):
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2)
    assert dex.pl.expression(bulk, "gene3", ax=right, title="here") is right
    assert right.get_title() == "here"
    assert not left.collections
    assert len(figure.axes) == 2


@pytest.mark.parametrize("width", [85, 180])
def test_nothing_is_cut_off(cells, width):
    size = (width / 25.4, 150 / 25.4)
    figure = dex.pl.expression(cells, figsize=size, return_fig=True)
    figure.draw_without_rendering()
    for ax in figure.axes:
        box = ax.get_tightbbox()
        assert box.x0 >= -1
        assert box.x1 <= figure.bbox.x1 + 1
    words = [ax.title.get_window_extent() for ax in figure.axes]
    assert not any(a.overlaps(b) for i, a in enumerate(words) for b in words[:i])


def test_points_do_not_overlap():
    rng = np.random.default_rng(0)
    y = rng.normal(0, 20, 60)
    x = beside(y, diameter=8.0, half_width=1000.0)
    gaps = np.hypot(x[:, None] - x, y[:, None] - y) + 100 * np.eye(60)
    assert gaps.min() >= 8 - 1e-6
    np.testing.assert_array_equal(x, beside(y, diameter=8.0, half_width=1000.0))
    assert np.abs(beside(y, diameter=8.0, half_width=5.0)).max() <= 5


def test_lone_points_are_in_the_middle():
    assert (beside(np.array([0.0, 50.0, 100.0]), diameter=8.0, half_width=9.0) == 0).all()


def test_many_points_fill_their_density():
    y = np.random.default_rng(0).normal(0, 1, 3000)
    x = beside(y, diameter=1.0, half_width=2.0)
    assert np.abs(x).max() <= 2
    assert np.abs(x[np.abs(y) > 2.5]).max() < 0.5 < np.abs(x[np.abs(y) < 0.5]).max()
    assert abs(np.mean(x)) < 0.01


def test_density_is_that_of_a_gaussian_kernel():
    y = np.random.default_rng(0).normal(0, 1, 500)
    grid, height = density(y)
    spread = min(y.std(ddof=1), stats.iqr(y) / 1.34)
    kernel = stats.gaussian_kde(y, 0.9 * spread * 500**-0.2 / y.std(ddof=1))(grid)
    np.testing.assert_allclose(height, kernel / kernel.max(), atol=0.02)  # values are binned


def test_p_in_words_never_underflows():
    assert p_text(-1234.3) == "5.0e-1235"
    assert p_text(-4 + np.log10(9.97)) == "1.0e-3"
    assert p_text(np.log10(0.04)) == "0.040"
    assert p_text(np.log10(0.036)) == "0.036"
    assert p_text(0.0) == "1.0"


@pytest.mark.parametrize(
    ("genes", "options", "message"),
    [
        ("nope", {}, "1 of 1 gene is not in var_names"),
        ([f"gene{j}" for j in range(25)], {}, "holds 1 to 24 genes, and there are 25"),
        ([], {}, "there are 0"),
        ("gene1", {"kind": "pie"}, "kind='pie'"),
        ("gene1", {"groupby": "nope"}, "'nope' is not a column"),
        ("gene1", {"hue": "nope"}, "'nope' is not a column"),
        ("gene1", {"pairs": "nope"}, "'nope' is not a column"),
        ("gene1", {"order": ["ctl"]}, "has the levels 'control', 'treated'"),
        ("gene1", {"n_columns": 0}, "n_columns=0"),
        (None, {"key": "nope"}, "run dex.tl.rank_genes first"),
    ],
)
def test_refuses_what_is_not_there(bulk, genes, options, message):
    with pytest.raises(InputError, match=message):
        dex.pl.expression(bulk, genes, **options)
