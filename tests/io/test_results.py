"""Results as files: every format reads back to the table of ``dex.get.rank_genes_df``."""

from __future__ import annotations

import json

import pandas as pd
import pytest

import dex
from dex.errors import InputError


@pytest.fixture(scope="module")
def ranked():
    adata = dex.datasets.simulate_counts(n_genes=40, seed=2)
    adata.var["symbol"] = [f"=S{j}" for j in range(40)]
    dex.tl.rank_genes(adata, groupby="condition", method="t-test")
    return adata


@pytest.mark.parametrize("suffix", [".csv", ".tsv.gz", ".parquet"])
def test_the_table_reads_back(ranked, tmp_path, suffix):
    if suffix == ".parquet":
        pytest.importorskip("pyarrow")
    path = tmp_path / f"x{suffix}"
    dex.io.write_results(ranked, path)
    table = dex.get.rank_genes_df(ranked)
    if suffix == ".parquet":
        back = pd.read_parquet(path)
    else:  # as text first: pandas 2 reads numbers to 15 digits
        words = pd.read_csv(path, sep="," if ".csv" in suffix else "\t", dtype=str)
        back = words.astype(dict.fromkeys(table.select_dtypes("number"), "float64"))
    pd.testing.assert_frame_equal(
        back, table, check_exact=True, check_dtype=False, check_categorical=False
    )


def test_parquet_says_where_it_comes_from(ranked, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    dex.io.write_results(ranked, tmp_path / "x.parquet", direction="up")
    schema = parquet.read_schema(tmp_path / "x.parquet")
    said = json.loads(schema.metadata[b"dex"])
    assert said["key"] == "rank_genes"
    assert said["params"]["method"] == "t-test"
    assert said["tests"][0]["name"] == "treated vs control"
    back = pd.read_parquet(tmp_path / "x.parquet")
    assert 0 < len(back) < 40
    assert list(back["test"].cat.categories) == ["treated vs control"]


def test_options_choose_rows_and_names(ranked, tmp_path):
    dex.io.write_results(ranked, tmp_path / "x.csv", gene_symbols="symbol", direction="up")
    back = pd.read_csv(tmp_path / "x.csv")
    assert (back["log2fc"] > 0).all()
    assert back["gene"].str.startswith("'=S").all()
    assert set(back["gene_id"]) < set(ranked.var_names)


def test_an_unknown_suffix_is_refused_before_anything_is_read(tmp_path):
    with pytest.raises(InputError, match=r"x\.docx.*\.xlsx"):
        dex.io.write_results(None, tmp_path / "x.docx")
