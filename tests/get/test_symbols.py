"""Genes by name: which are found, and what is said of those that are not."""

from __future__ import annotations

import pytest

from dex.errors import InputError
from dex.get._symbols import find_genes, gene_ids


def test_ids_go_before_symbols(ranked):
    assert find_genes(ranked, ["PER1", "gene0", "gene4"], "symbol") == [7, 0, 4]
    assert gene_ids(ranked, ["PER1", "FKBP5"], "symbol") == ["gene7", "gene0"]


def test_a_symbol_of_two_genes_is_refused(ranked):
    said = r"'DUSP1' in adata.var\['symbol'\] names 2 genes: 'gene3', 'gene4'; give their var_names"
    with pytest.raises(InputError, match=said):
        find_genes(ranked, ["PER1", "DUSP1"], "symbol")


@pytest.mark.parametrize("kind", ["object", "category"])
def test_a_symbol_among_ids_says_where_it_is(ranked, kind):
    ranked.var["symbol"] = ranked.var["symbol"].astype(kind)
    with pytest.raises(InputError, match=r"has 'FKBP5': give gene_symbols='symbol'\."):
        find_genes(ranked, ["FKBP5"], None)


def test_near_misses(ranked):
    with pytest.raises(InputError, match=r"Did you mean 'FKBP5'\?"):
        find_genes(ranked, ["fkbp51"], "symbol")
    with pytest.raises(InputError) as error:
        find_genes(ranked, ["XYZ"], "symbol")
    assert "Did you mean" not in str(error.value)


def test_another_id_is_no_better_spelling(ranked):
    ranked.var_names = [f"ENSG0000010990{i}.1" for i in range(8)]
    with pytest.raises(InputError) as error:
        find_genes(ranked, ["ENSG00000109909"], None)
    assert "Did you mean" not in str(error.value)
    with pytest.raises(InputError, match=r"Did you mean 'ENSG00000109903\.1'"):
        find_genes(ranked, ["ENSG00000109903"], None)
