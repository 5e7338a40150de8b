"""The file: whole, offline, escaped, the same each time, and what it says."""

import re

import anndata
import numpy as np
import pandas as pd
import pytest

import dex
from dex.errors import InputError
from dex.report import write
from dex.report._best import pvalue_words
from dex.report._tables import make_room

NASTY = "<script>alert(1)</script>"
HALF_STEP = 0.005 + 1e-9
"""Expression is embedded to a hundredth."""
FLOAT32 = 6e-8
"""Relative error of Float32."""
SECTIONS = [
    "summary",
    "design",
    "filtering",
    "overview",
    "tests",
    "diagnosis",
    "methods",
    "parameters",
]


def test_elements_nest_and_ids_are_unique(parsed):
    assert parsed.errors == []
    ids = [attributes["id"] for _, attributes in parsed.elements if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_links_inside_lead_somewhere(parsed):
    ids = {attributes.get("id") for _, attributes in parsed.elements}
    links = [attributes["href"] for tag, attributes in parsed.elements if tag == "a"]
    assert {link[1:] for link in links if link.startswith("#")} <= ids
    assert all(link.startswith(("#", "https://doi.org/")) for link in links)


def test_sections_stand_in_order_and_in_the_contents(parsed):
    found = [attributes["id"] for tag, attributes in parsed.elements if tag == "section"]
    assert found == SECTIONS
    linked = [attributes["href"] for tag, attributes in parsed.elements if tag == "a"][:8]
    assert linked == [f"#{name}" for name in SECTIONS]


def test_nothing_is_loaded(parsed, report):
    for tag, attributes in parsed.elements:
        assert attributes.get("src", "data:").startswith("data:"), tag
        assert tag == "a" or attributes.get("href", "data:").startswith("data:"), tag
    document = report.read_text(encoding="utf-8")
    assert "@import" not in document
    assert "url(" not in document
    policy = next(
        one["content"] for tag, one in parsed.elements if one.get("http-equiv") is not None
    )
    assert "default-src 'none'" in policy


def test_names_are_no_markup(parsed):
    """Three scripts are ours; nobody else has made one, or an image that runs something."""
    programs = [name for name in parsed.scripts if not re.fullmatch(r"a\d+", name)]
    assert sorted(programs) == ["dex-meta", "program"]
    assert not any(name.startswith("on") for _, one in parsed.elements for name in one)
    words = "".join(parsed.words)
    assert NASTY in words
    assert "<b>s0</b>&" in words
    assert parsed.array(parsed.meta["ids"])[0] == NASTY


def test_figures_have_words_for_those_who_cannot_see_them(parsed):
    images = [attributes for tag, attributes in parsed.elements if tag == "img"]
    assert len(images) == 6  # two of all samples, four of the test
    assert all(len(image["alt"]) > 10 for image in images)
    assert all(image["src"].startswith("data:image/png;base64,iVBOR") for image in images)


def test_tables_are_the_result(parsed, hostile):
    (result,) = parsed.meta["results"]
    (test,) = result["tests"]
    frame = dex.get.rank_genes_df(hostile).set_index("gene").loc[hostile.var_names]
    assert {"log2fc", "base_mean", "stat", "log10_pval", "log10_padj"} <= set(test["arrays"])
    for name in set(test["arrays"]) - {"status"}:
        np.testing.assert_allclose(parsed.array(test["arrays"][name]), frame[name], rtol=FLOAT32)
    names = parsed.array(parsed.meta["names"])
    assert names[:4] == [NASTY, "S1", "=1+1", "S3"]


def test_expression_is_what_was_tested(parsed, hostile):
    (result,) = parsed.meta["results"]
    drawn = result["expression"]
    values = parsed.array(drawn["values"]).reshape(-1, drawn["perGene"]) * drawn["step"]
    expected = dex.get.expression_df(hostile, hostile.var_names.to_list(), key="rank_genes")
    np.testing.assert_allclose(values, expected.to_numpy().T, rtol=0, atol=HALF_STEP)
    assert drawn["genes"] is None
    assert drawn["groups"] == ["control", NASTY]
    assert drawn["obs"] == hostile.obs_names.to_list()


def test_the_summary_counts_what_the_table_has(parsed, hostile):
    frame = dex.get.rank_genes_df(hostile, padj=0.05)
    up, down = (frame["log2fc"] > 0).sum(), (frame["log2fc"] < 0).sum()
    assert f"{up:,} up and {down:,} down" in parsed.text_of["tests"]
    assert min(up, down) > 0


def test_notes_are_shown(parsed, hostile):
    assert len(hostile.uns["rank_genes"]["notes"])
    for note in hostile.uns["rank_genes"]["notes"]:
        assert note in parsed.text_of["summary"]


def test_the_adata_is_not_changed(many, tmp_path):
    before = many.copy()
    write(many, tmp_path / "report.html", max_figures=0)
    assert set(many.obsm) == set(before.obsm)
    assert not many.obsp
    assert set(many.uns) == set(before.uns)
    assert set(many.varm) == set(before.varm)
    pd.testing.assert_frame_equal(many.obs, before.obs)
    pd.testing.assert_frame_equal(many.var, before.var)


def test_the_same_again_with_the_same_date(hostile, report, tmp_path):
    again = tmp_path / "again.html"
    title = 'Of </script><img src=x onerror="alert(2)">'
    write(hostile, again, title=title, date="2026-01-01", gene_symbols="symbol")
    assert again.read_bytes() == report.read_bytes()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"key": "other"}, "holds no result"),
        ({"tests": "x vs y"}, "is not one of"),
        ({"tests": []}, "names no test"),
        ({"padj": 0}, "padj=0"),
        ({"padj": 2}, "padj=2"),
        ({"groupby": "batch"}, "groupby='batch'"),
        ({"gene_symbols": "name"}, "gene_symbols='name'"),
        ({"padj": "0.05"}, "padj='0.05'"),
        ({"max_figures": -1}, "max_figures=-1"),
        ({"max_figures": "3"}, "max_figures='3'"),
    ],
)
def test_what_is_not_there_is_refused(hostile, tmp_path, options, said):
    path = tmp_path / "report.html"
    path.write_text("before")
    with pytest.raises(InputError, match=re.escape(said)):
        write(hostile, path, **options)
    assert path.read_text() == "before"
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("name", ["report.pdf", "report", "report.html.gz"])
def test_html_is_not_written_under_another_name(hostile, tmp_path, name):
    with pytest.raises(InputError, match="write 'report"):
        write(hostile, tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_without_scripts_the_best_genes_are_there(parsed, hostile):
    """On paper too: what the script would show first, with the same names and numbers."""
    frame = dex.get.rank_genes_df(hostile, gene_symbols="symbol").head(25)
    words = parsed.text_of["test-1-1"]
    assert "The best 25 genes of 300 by p-value." in words
    assert "when scripts may run" not in words
    at = [words.index(name) for name in frame["gene"][:2]]
    assert at == sorted(at)
    assert f"{frame['log2fc'][0]:.2f}".replace("-", "\N{MINUS SIGN}") in words
    assert pvalue_words(float(np.log10(frame["pval"][0]))) in words


def test_columns_of_layers_are_not_of_the_samples(tmp_path, page):
    adata = dex.datasets.simulate_counts(n_genes=80, n_per_group=3, seed=1)
    dex.pp.normalize(adata)
    dex.tl.rank_genes(adata, groupby="condition")
    made = [name for name in adata.obs if name.startswith("logcpm_")]
    path = tmp_path / "report.html"
    write(adata, path, max_figures=0)
    words = page(path.read_text(encoding="utf-8")).text_of
    assert made
    assert not any(name in words["design"] for name in (*made, "rank_genes_size_factors"))
    assert (
        words["design"].count("size factor") == adata.obs.columns.str.contains("rank_genes").sum()
    )
    assert "logcpm_size_factors" in words["filtering"]


def test_a_missing_folder_is_named(hostile, tmp_path):
    with pytest.raises(InputError, match="create the folder"):
        write(hostile, tmp_path / "no" / "report.html")


@pytest.fixture(scope="module")
def many():
    """Four groups against the rest, an omnibus test, and a batch."""
    adata = dex.datasets.simulate_counts(
        n_genes=200, n_per_group=3, groups=["a", "b", "c", "d"], de_fraction=0.3, seed=5
    )
    dex.tl.rank_genes(adata, groupby="condition")
    dex.tl.rank_genes(adata, groupby="condition", test="any", key_added="any")
    return adata


def test_several_results_and_a_choice_of_tests(many, tmp_path, page):
    path = tmp_path / "report.html"
    write(many, path, key=["rank_genes", "any"], max_figures=0)
    found = page(path.read_text(encoding="utf-8"))
    assert [len(result["tests"]) for result in found.meta["results"]] == [4, 1]
    assert "log2fc" not in found.meta["results"][1]["tests"][0]["arrays"]
    assert found.errors == []
    assert found.text_of["filtering"].count("modelled as they are") == 1
    assert found.text_of["methods-text"].count("TMM size factors") == 1
    assert found.text_of["methods-text"].count("were called changed") == 1
    assert all(f"Result {key}: " in found.text_of["methods-text"] for key in ("rank_genes", "any"))
    notes = set(many.uns["rank_genes"]["notes"]) & set(many.uns["any"]["notes"])
    assert notes
    assert all(found.text_of["summary"].count(note) == 1 for note in notes)
    write(many, path, tests=["c", 0, "c"], max_figures=0)
    found = page(path.read_text(encoding="utf-8"))
    names = [test["name"] for test in found.meta["results"][0]["tests"]]
    assert names == ["c vs rest", "a vs rest"]


def test_tests_beyond_max_figures_have_tables(many, tmp_path, page):
    path = tmp_path / "report.html"
    write(many, path, max_figures=1)
    found = page(path.read_text(encoding="utf-8"))
    images = [one["alt"] for tag, one in found.elements if tag == "img"]
    assert len(images) == 6
    assert not any("b vs rest" in alt for alt in images)
    assert "Figures of 1 of 4 tests, the first" in found.text_of["tests"]
    assert [one["class"] for tag, one in found.elements if tag == "div"].count("holder") == 4


def test_samples_of_cells_are_what_is_shown(tmp_path, page):
    adata = dex.datasets.simulate_counts(
        n_genes=150, n_per_group=3, cells_per_replicate=20, mean_count=3.0, seed=2
    )
    replicate = next(name for name in adata.obs if name != "condition")
    dex.tl.rank_genes(adata, groupby="condition", replicate=replicate)
    path = tmp_path / "report.html"
    write(adata, path, max_figures=0)
    found = page(path.read_text(encoding="utf-8"))
    assert found.meta["results"][0]["expression"]["perGene"] == 6
    assert "added up into 6 samples" in found.text_of["design"]
    assert "Crowell et al., 2020" in found.text_of["methods"]
    assert sum(tag == "img" for tag, _ in found.elements) == 2


def test_cells_as_replicates_are_told_once(tmp_path, page):
    adata = dex.datasets.pbmc68k()
    dex.tl.rank_genes(adata, groupby="bulk_labels")
    path = tmp_path / "report.htm"
    write(adata, path, max_figures=0)
    words = page(path.read_text(encoding="utf-8")).text_of["diagnosis"]
    assert words.count("p-values of cells are too small") == 1
    assert "method='t-test'" in words
    assert "as it should be" not in words


def test_many_cells_are_summarised(tmp_path, page):
    adata = dex.datasets.pbmc68k()
    dex.tl.rank_genes(adata, groupby="bulk_labels")
    path = tmp_path / "report.html"
    write(adata, path, max_figures=0)
    found = page(path.read_text(encoding="utf-8"))
    drawn = found.meta["results"][0]["expression"]
    assert drawn["kind"] == "quantiles"
    values = found.array(drawn["values"]).reshape(adata.n_vars, len(drawn["groups"]), 7)
    gene, group = 10, drawn["groups"].index("Dendritic")
    own = dex.get.expression_df(adata, adata.var_names[gene], key="rank_genes").to_numpy().ravel()
    own = own[(adata.obs["bulk_labels"] == "Dendritic").to_numpy()]
    expected = [own.mean(), *np.quantile(own, [0.05, 0.25, 0.5, 0.75, 0.95])]
    np.testing.assert_allclose(
        values[gene, group, 1:] * drawn["step"], expected, rtol=0, atol=HALF_STEP
    )


def test_results_from_a_file_are_reported_without_their_matrix(many, tmp_path, page):
    """The table is enough; expression and maps are left out, and that is said."""
    bare = anndata.AnnData(obs=many.obs.copy(), var=many.var.copy(), uns=dict(many.uns))
    for name in many.varm:
        bare.varm[name] = many.varm[name]
    path = tmp_path / "report.html"
    write(bare, path, max_figures=0)
    found = page(path.read_text(encoding="utf-8"))
    assert found.meta["results"][0]["expression"] is None
    assert "Expression is not embedded" in found.text_of["tests"]
    assert "No principal components" in found.text_of["overview"]


class _Like:
    """As much of a Ranking as making room looks at."""

    def __init__(self, n_tests, n_vars):
        self.tests = [None] * n_tests
        self.unit = "samples"
        self.adata = type("AnnData", (), {"n_vars": n_vars})
        names = ("log2fc", "log2fc_se", "base_mean", "stat", "log10_pval", "log10_padj", "status")
        self.stored = type("Stored", (), {"columns": names})


@pytest.mark.parametrize(("n_tests", "planes"), [(1, 4), (10, 3)])
def test_twenty_thousand_genes_of_ten_tests_fit(n_tests, planes):
    room = make_room([_Like(n_tests, 20_000)])
    assert room.planes == planes
    assert room.n_genes == 20_000


def test_of_many_tests_the_best_genes_fit():
    room = make_room([_Like(100, 20_000)])
    assert "log2fc_se" not in room.columns
    assert 1000 < room.n_genes < 5000


def test_a_number_that_was_tested_is_the_horizontal_axis(tmp_path, page):
    adata = dex.datasets.simulate_counts(n_genes=100, n_per_group=5, seed=1)
    adata.obs["age"] = 20.0 + 3 * np.arange(10) % 17
    adata.obs.loc[adata.obs_names[2], "age"] = np.nan
    dex.tl.rank_genes(adata, design="~ condition + age")
    path = tmp_path / "report.html"
    write(adata, path, max_figures=0)
    drawn = page(path.read_text(encoding="utf-8")).meta["results"][0]["expression"]
    assert drawn["xLabel"] == "age"
    assert drawn["x"][2] is None
    assert drawn["x"][3] == 29
    assert drawn["groupby"] == "condition"


def test_maps_are_of_what_was_tested(tmp_path):
    adata = dex.datasets.simulate_counts(n_genes=100, n_per_group=4, seed=1)
    adata.layers["counts"] = adata.X
    adata.X = (adata.X - adata.X.mean(axis=0)) / (adata.X.std(axis=0) + 1e-9)
    dex.tl.rank_genes(adata, groupby="condition", layer="counts")
    dex.report.write(adata, tmp_path / "r.html", max_figures=0)
    page = (tmp_path / "r.html").read_text()
    assert "No principal components" not in page
    assert "root mean square of their 100 largest log2 fold changes" in page
    adata.obsp.clear()
    dex.tl.mds(adata, layer="counts", n_top_genes=20, gene_selection="common")
    dex.report.write(adata, tmp_path / "r.html", max_figures=0)
    assert "root mean square of the 20 most variable genes" in (tmp_path / "r.html").read_text()


def test_nothing_to_report_is_said(tmp_path):
    adata = dex.datasets.simulate_counts(n_genes=20, n_per_group=3, seed=1)
    dex.tl.rank_genes(adata, groupby="condition")
    for empty in (adata[:, []].copy(), adata[[]].copy()):
        with pytest.raises(InputError, match="nothing to report"):
            dex.report.write(empty, tmp_path / "r.html")
