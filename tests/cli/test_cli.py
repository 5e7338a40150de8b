"""The command line: files in, files out, one-line errors, exit codes."""

import re
import subprocess
import sys

import anndata as ad
import numpy as np
import pandas as pd
import pytest

import dex
from dex.cli import main
from dex.cli._commands import _volcano_paths
from dex.cli._parser import _METHODS
from dex.datasets import simulate_counts
from dex.tl.methods import METHODS

GLUCOCORTICOID = {
    "FKBP5": "ENSG00000096060",
    "DUSP1": "ENSG00000120129",
    "KLF15": "ENSG00000163884",
    "PER1": "ENSG00000179094",
    "CRISPLD2": "ENSG00000103196",
}


@pytest.fixture
def tables(tmp_path):
    """Counts and sample sheet of a small experiment, as files."""
    adata = simulate_counts(300, 4, n_batches=2, seed=1)
    counts = pd.DataFrame(adata.X.T, index=adata.var_names, columns=adata.obs_names).astype(int)
    counts.to_csv(tmp_path / "counts.csv", index_label="gene")
    sheet = adata.obs[["condition", "batch"]].iloc[::-1]
    sheet.to_csv(tmp_path / "samples.csv", index_label="sample")
    return tmp_path


def run(folder, *words):
    return main(["run", str(folder / "counts.csv"), str(folder / "samples.csv"), *words])


def test_run_writes_table_figures_and_h5ad(tables, capsys):
    out = tables / "results"
    assert run(tables, "--design", "~ batch + condition", "-o", str(out)) == 0
    names = sorted(path.name for path in out.iterdir())
    assert names == [
        "heatmap.png",
        "ranked.h5ad",
        "report.html",
        "results.csv",
        "volcano.png",
    ]
    table = pd.read_csv(out / "results.csv")
    again = dex.get.rank_genes_df(ad.read_h5ad(out / "ranked.h5ad"))
    np.testing.assert_allclose(table["pval"], again["pval"], rtol=1e-12)  # pandas 2 reads roughly
    lines = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"\d+ genes tested by edger of samples:", lines[0])
    assert "up" in lines[1]
    assert "results.csv, ranked.h5ad" in lines[-2]
    assert lines[-1].startswith(f"open {out / 'report.html'} first")


def test_run_equals_the_functions(tables):
    out = tables / "results"
    words = ["--design", "~ batch + condition", "--method", "ols"]
    contrast = ["--contrast", "condition", "treated", "control"]
    assert run(tables, *words, *contrast, "-o", str(out)) == 0
    adata = dex.io.read_counts(tables / "counts.csv", samples=tables / "samples.csv")
    dex.pp.filter_genes(adata, design="~ batch + condition")
    contrasts = ("condition", "treated", "control")
    dex.tl.rank_genes(adata, design="~ batch + condition", contrasts=contrasts, method="ols")
    pd.testing.assert_frame_equal(
        dex.get.rank_genes_df(ad.read_h5ad(out / "ranked.h5ad")), dex.get.rank_genes_df(adata)
    )


def test_run_takes_several_contrasts_and_no_filter(tables):
    out = tables / "results"
    words = ["--design", "~ batch + condition", "--no-filter", "-o", str(out)]
    contrasts = ["--contrast", "treated - control", "--contrast", "batch", "batch2", "batch1"]
    assert run(tables, *words, *contrasts) == 0
    table = pd.read_csv(out / "results.csv")
    assert table.groupby("test").size().to_dict() == {
        "batch2 vs batch1": 300,
        "treated - control": 300,
    }
    assert len(list(out.glob("volcano_*.png"))) == 2


def test_rank_genes_writes_an_h5ad_with_the_result(tmp_path):
    adata = simulate_counts(100, 3, cells_per_replicate=30, seed=0)
    adata.write_h5ad(tmp_path / "in.h5ad")
    words = ["rank-genes", str(tmp_path / "in.h5ad"), "--groupby", "condition"]
    out = ["-o", str(tmp_path / "out.h5ad"), "--table", str(tmp_path / "t.tsv")]
    assert main([*words, "--method", "wilcoxon", "--key-added", "ranks", *out]) == 0
    ranked = ad.read_h5ad(tmp_path / "out.h5ad")
    assert ranked.uns["ranks"]["params"]["method"] == "wilcoxon"
    assert len(pd.read_csv(tmp_path / "t.tsv", sep="\t")) == 100


def test_rank_genes_takes_strata_and_sides(tmp_path):
    adata = simulate_counts(100, 4, cells_per_replicate=30, n_batches=2, seed=0)
    adata.write_h5ad(tmp_path / "in.h5ad")
    words = ["rank-genes", str(tmp_path / "in.h5ad"), "--groupby", "condition"]
    words += ["--method", "wilcoxon", "--block", "batch", "--weights", "design-free"]
    words += ["--alternative", "less", "--continuity", "-o", str(tmp_path / "out.h5ad")]
    assert main(words) == 0
    options = {"block": "batch", "weights": "design-free", "continuity": True}
    dex.tl.rank_genes(adata, "condition", method="wilcoxon", alternative="less", **options)
    table = dex.get.rank_genes_df(ad.read_h5ad(tmp_path / "out.h5ad"))
    pd.testing.assert_frame_equal(table, dex.get.rank_genes_df(adata))


@pytest.mark.parametrize("tool", ["score_markers", "conserved_markers"])
def test_markers_are_written_into_an_h5ad(tmp_path, capsys, tool):
    adata = simulate_counts(60, 3, cells_per_replicate=30, seed=0)
    adata.obs["cluster"] = np.resize(["a", "b", "c", "doublet"], adata.n_obs)
    adata.obs["batch"] = np.repeat(["x", "y"], adata.n_obs // 2)
    adata.write_h5ad(tmp_path / "in.h5ad")
    words = [tool.replace("_", "-"), str(tmp_path / "in.h5ad"), "--groupby", "cluster"]
    out = ["-o", str(tmp_path / "out.h5ad"), "--table", str(tmp_path / "t.csv")]
    assert main([*words, "--block", "batch", "--exclude", "doublet", *out]) == 0
    found = ad.read_h5ad(tmp_path / "out.h5ad").uns[tool]
    assert found["tests"]["group"].tolist() == ["a", "b", "c"]
    assert len(pd.read_csv(tmp_path / "t.csv")) == 3 * 60
    assert "a vs" in capsys.readouterr().out


def test_rank_genes_leaves_levels_and_columns_out(tmp_path):
    adata = simulate_counts(60, 3, cells_per_replicate=30, seed=0)
    adata.obs["cluster"] = np.resize(["a", "b", "c", "doublet"], adata.n_obs)
    adata.write_h5ad(tmp_path / "in.h5ad")
    words = [
        "rank-genes",
        str(tmp_path / "in.h5ad"),
        "--groupby",
        "cluster",
        "--exclude",
        "doublet",
    ]
    out = ["--stats", "auc", "--method", "wilcoxon", "-o", str(tmp_path / "out.h5ad")]
    assert main([*words, *out]) == 0
    found = ad.read_h5ad(tmp_path / "out.h5ad").uns["rank_genes"]
    assert found["tests"]["group"].tolist() == ["a", "b", "c"]
    kept = ["log2fc", "stat", "log10_pval", "log10_padj", "auc"]
    assert found["columns"].tolist() == kept


def test_rank_genes_by_replicate_tests_samples(tmp_path):
    simulate_counts(100, 3, cells_per_replicate=30, seed=0).write_h5ad(tmp_path / "in.h5ad")
    words = ["rank-genes", str(tmp_path / "in.h5ad"), "--groupby", "condition"]
    assert main([*words, "--replicate", "replicate", "-o", str(tmp_path / "out.h5ad")]) == 0
    params = ad.read_h5ad(tmp_path / "out.h5ad").uns["rank_genes"]["params"]
    assert (params["unit"], params["replicate"], params["n_obs"]) == ("samples", "replicate", 6)
    words += ["--replicate", "none", "--method", "t-test", "-o", str(tmp_path / "cells.h5ad")]
    assert main(words) == 0
    params = ad.read_h5ad(tmp_path / "cells.h5ad").uns["rank_genes"]["params"]
    assert (params["unit"], params.get("replicate")) == ("cells", None)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "say who is compared: --groupby COLUMN, or --design"),
        (["--groupby", "conditoin"], r"did you mean 'condition'\?|'condition'"),
        (["--design", "~ batch + nothing"], "nothing"),
        (["--groupby", "condition", "--contrast", "a", "b"], "has 2 words; give COLUMN GROUP"),
        (["--groupby", "condition", "--reference", "ctl"], "'control'"),
    ],
)
def test_input_errors_are_one_line_and_exit_2(tables, capsys, words, message):
    assert run(tables, *words, "-o", str(tables / "results")) == 2
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert error.startswith("dex run: error: ")
    assert re.search(message, error)


def test_methods_are_those_of_the_registry():
    assert ("auto", *METHODS) == _METHODS


def test_without_replicates_there_is_a_table_and_no_figure(tables):
    sheet = pd.read_csv(tables / "samples.csv").iloc[[0, -1]]
    sheet.to_csv(tables / "two.csv", index=False)
    counts = pd.read_csv(tables / "counts.csv", index_col=0)[sheet["sample"]]
    counts.to_csv(tables / "two_counts.csv")
    words = [str(tables / "two_counts.csv"), str(tables / "two.csv"), "--groupby", "condition"]
    assert main(["run", *words, "-o", str(tables / "out")]) == 0
    written = {path.name for path in (tables / "out").iterdir()}
    assert written == {"results.csv", "ranked.h5ad", "report.html"}
    table = pd.read_csv(tables / "out" / "results.csv")
    assert table["pval"].isna().all()
    assert table["log2fc"].notna().any()


def test_files_of_an_earlier_run_are_named(tables, capsys):
    out = tables / "results"
    out.mkdir()
    (out / "volcano_old.png").write_text("")
    assert run(tables, "--groupby", "condition", "-o", str(out)) == 0
    assert "left as it was: volcano_old.png" in capsys.readouterr().out


def test_volcanoes_of_names_that_differ_in_signs_or_case_have_files_of_their_own(tmp_path):
    names = ["CD4+ vs rest", "CD4- vs rest", "cd4 vs rest"]
    paths = _volcano_paths(tmp_path, names)
    assert len({str(path).lower() for path in paths.values()}) == 3


def test_a_failed_run_leaves_no_folder(tables):
    assert run(tables, "--groupby", "nothing", "-o", str(tables / "out")) == 2
    assert not (tables / "out").exists()


def test_options_of_the_door_are_options_of_the_command(tables):
    words = ["--design", "~ batch + condition", "--lfc", "0.5", "--method", "ols"]
    words += ["--option", "vcov=HC3"]
    assert run(tables, *words, "--padj-method", "holm", "-o", str(tables / "out")) == 0
    params = dex.get.params(ad.read_h5ad(tables / "out" / "ranked.h5ad"))
    assert (params["lfc"], params["vcov"], params["corr_method"]) == (0.5, "HC3", "holm")


def test_missing_file_is_one_line_and_exits_2(tmp_path, capsys):
    words = ["run", str(tmp_path / "no.csv"), str(tmp_path / "no2.csv"), "--groupby", "x"]
    assert main([*words, "-o", str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert len(error.splitlines()) == 1
    assert "no2.csv' does not exist" in error


def test_out_that_is_no_h5ad_or_no_folder_is_refused(tables, capsys):
    (tables / "file").write_text("")
    assert run(tables, "--groupby", "condition", "-o", str(tables / "file")) == 2
    assert "is a file; name a folder" in capsys.readouterr().err
    words = ["rank-genes", str(tables / "x.h5ad"), "--groupby", "g", "-o", "out.csv"]
    assert main(words) == 2
    assert "must end in .h5ad" in capsys.readouterr().err


def test_ctrl_c_exits_130(tables, monkeypatch, capsys):
    def interrupt(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(dex.tl, "rank_genes", interrupt)
    out = tables / "results"
    assert run(tables, "--groupby", "condition", "-o", str(out)) == 130
    assert not out.exists()
    assert "interrupted" in capsys.readouterr().err


def test_wrong_words_exit_2_with_usage(capsys):
    for words in ([], ["ran"], ["run"]):
        with pytest.raises(SystemExit) as stop:
            main(words)
        assert stop.value.code == 2
    assert "usage: dex" in capsys.readouterr().err


def test_module_runs_and_help_imports_little():
    code = "import sys; from dex.cli import main; main(['--help'])"
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", code], capture_output=True, text=True, check=True
    )
    assert "rank-genes" in done.stdout
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert not imported & {"numpy", "pandas", "anndata", "scanpy", "numba", "matplotlib"}
    words = [sys.executable, "-m", "dex", "--help"]
    assert subprocess.run(words, capture_output=True, check=True).stdout.startswith(b"usage: dex")


def test_demo_makes_its_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["demo"]) == 0
    out = tmp_path / "dex-demo"
    assert {"results.csv", "heatmap.png", "ranked.h5ad"} <= {path.name for path in out.iterdir()}
    table = pd.read_csv(out / "results.csv")
    first = table.groupby("test")["gene"].apply(lambda genes: set(genes.head(20)))
    assert {"CD79A", "CD79B"} <= first["CD19+ B vs rest"]
    assert {"FCGR3A", "CFD"} <= first["CD14+ Monocyte vs rest"]
    assert {"NKG7", "GNLY"} <= first["CD56+ NK vs rest"]


def test_classify_writes_predictions_metrics_and_a_model(tmp_path, capsys):
    adata = dex.datasets.simulate_counts(100, n_per_group=6, log2fc_sd=2, seed=1)
    dex.io.write_h5ad(adata, tmp_path / "in.h5ad")
    out, table, model = (tmp_path / name for name in ("out.h5ad", "metrics.csv", "model.zip"))
    words = ["classify", str(tmp_path / "in.h5ad"), "--groupby", "condition", "-o", str(out)]
    words += ["--table", str(table), "--model", str(model), "--n-permutations", "9", "--cv", "3"]
    assert main(words) == 0
    assert "auc: 1 (" in capsys.readouterr().out
    again = dex.io.read_h5ad(out)
    assert again.obs["classify_probability"].notna().all()
    metrics = pd.read_csv(table).set_index("metric")
    assert metrics.loc["auc", "value"] == 1.0
    assert len(dex.tl.predict(adata, dex.io.load_model(model))) == 12
    assert main([*words[:-2], "--cv", "12"]) == 2
    assert "cv=12" in capsys.readouterr().err
    assert main([*words, "--table", "metrics.xlsx"]) == 2


@pytest.mark.realdata
def test_airway_by_command_line(realdata, tmp_path):
    counts, samples = (realdata / "airway" / name for name in ("counts.csv.gz", "samples.csv"))
    words = ["run", str(counts), str(samples), "--design", "~ celltype + dex", "--method", "ols"]
    assert main([*words, "-o", str(tmp_path / "out")]) == 0
    table = pd.read_csv(tmp_path / "out" / "results.csv").set_index("gene")
    known = table.loc[list(GLUCOCORTICOID.values())]
    assert (known["log2fc"] > 0).all()
    assert (known["padj"] < 0.05).all()


def test_symbols_of_a_table_of_genes(tmp_path, capsys):
    genes = [f"g{i}" for i in range(60)]
    adata = simulate_counts(60, 3, seed=0, de_fraction=0.5)
    counts = pd.DataFrame(adata.X.T.astype(int), index=genes, columns=adata.obs_names)
    counts.to_csv(tmp_path / "counts.csv")
    adata.obs[["condition"]].to_csv(tmp_path / "samples.csv", index_label="sample")
    symbols = pd.DataFrame({"gene": genes, "symbol": [f"SYM{i}" for i in range(60)]})
    symbols[::-1].to_csv(tmp_path / "genes.csv", index=False)
    words = ["run", *(str(tmp_path / f"{name}.csv") for name in ("counts", "samples"))]
    words += ["--genes", str(tmp_path / "genes.csv"), "--gene-symbols", "symbol", "--no-report"]
    assert main([*words, "--groupby", "condition", "-o", str(tmp_path / "out")]) == 0
    table = pd.read_csv(tmp_path / "out" / "results.csv")
    assert (table["gene"] == "SYM" + table["gene_id"].str[1:]).all()
    assert "up (SYM" in capsys.readouterr().out


def test_rank_genes_by_cell_type(tmp_path, capsys):
    adata = simulate_counts(100, 3, cells_per_replicate=40, seed=0)
    adata.obs["type"] = ["a" if i % 2 else "b" for i in range(adata.n_obs)]
    adata.write_h5ad(tmp_path / "in.h5ad")
    words = ["rank-genes", str(tmp_path / "in.h5ad"), "--groupby", "condition", "--method", "ols"]
    words += ["--replicate", "replicate", "--per", "type", "--min-cells", "5"]
    out = [str(tmp_path / "out.h5ad"), str(tmp_path / "out.csv")]
    assert main([*words, "-o", out[0], "--table", out[1]]) == 0
    ranked = dex.io.read_h5ad(out[0])
    assert dex.get.tests_df(ranked)["per"].tolist() == ["a", "b"]
    assert dex.get.params(ranked)["min_cells"] == 5
    table = pd.read_csv(out[1])
    assert set(table["per"]) == {"a", "b"}
    assert "padj_global" in table
    assert "a: treated vs control" in capsys.readouterr().out


def test_enrich_writes_table_and_h5ad(tables, capsys):
    adata = simulate_counts(300, 4, seed=1)
    dex.tl.rank_genes(adata, "condition", method="limma_voom")
    dex.io.write_h5ad(adata, tables / "ranked.h5ad")
    sets = {f"set{i}": adata.var_names[30 * i : 30 * i + 30] for i in range(10)}
    dex.io.write_gmt(sets, tables / "sets.gmt")
    paths = [str(tables / name) for name in ("ranked.h5ad", "sets.gmt")]
    table, out = str(tables / "sets.csv"), str(tables / "enriched.h5ad")
    words = ["enrich", *paths, "-o", out, "--table", table, "--method", "camera"]
    assert main([*words, "--padj", "1", "--option", "inter_gene_cor=0.05"]) == 0
    dex.tl.enrich(adata, sets, method="camera", inter_gene_cor=0.05)
    for found in (pd.read_csv(table), dex.get.enrich_df(ad.read_h5ad(out))):
        assert found["gene_set"].tolist() == dex.get.enrich_df(adata)["gene_set"].tolist()
        np.testing.assert_allclose(found["pval"], dex.get.enrich_df(adata)["pval"], rtol=1e-12)
    assert "treated vs control: 10 sets at padj <= 1, first set" in capsys.readouterr().out
    assert main([*words, "--contrast", "none"]) == 2
    assert "none" in capsys.readouterr().err
