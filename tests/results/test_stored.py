"""Reading a result back, by name, group or number."""

from __future__ import annotations

import numpy as np
import pytest

from dex.errors import InputError
from dex.results import StoredResult
from dex.results.store import store


@pytest.fixture
def stored(adata, make_result):
    store(adata, make_result(), key="rank_genes")
    return StoredResult.from_adata(adata, "rank_genes")


def test_what_was_stored_is_read(stored, make_result):
    result = make_result()
    assert stored.names == tuple(info.name for info in result.infos)
    assert stored.field("group") == tuple(info.group for info in result.infos)
    assert stored.counts("n_reference") == (9, 9, 9, 9)
    assert stored.notes == result.notes
    assert stored.params["groupby"] == "cell_type"
    np.testing.assert_array_equal(stored.values("stat"), result.columns["stat"])


@pytest.mark.parametrize("test", ["NK vs rest", "NK", 2, -2, np.int64(2)])
def test_a_test_is_found_by_name_group_or_number(stored, test):
    assert stored.position(test) == 2


@pytest.mark.parametrize("test", ["NKT", 4, -5, None, True, 1.0])
def test_a_test_that_is_not_there_is_an_error(stored, test):
    with pytest.raises(InputError, match=r"test=.* is not one of the 4 tests under 'rank_genes'"):
        stored.position(test)


def test_the_message_guesses_what_was_meant(stored):
    with pytest.raises(InputError, match=r"did you mean 'monocytes'"):
        stored.position("monocyte")


def test_the_only_test_needs_no_name(adata, make_result):
    store(adata, make_result(("NK",)), key="one")
    assert StoredResult.from_adata(adata, "one").position(None) == 0


def test_a_group_of_two_tests_names_neither(adata, make_result):
    result = make_result(("NK", "NK"))
    infos = (result.infos[0], type(result.infos[0])("NK vs B", "group", "NK", "B"))
    store(adata, make_result(("NK", "NK"), infos=infos), key="two")
    found = StoredResult.from_adata(adata, "two")
    assert found.position("NK vs B") == 1
    with pytest.raises(InputError, match=r"test='NK'.*'NK vs rest', 'NK vs B'"):
        found.position("NK")


def test_no_result_names_those_that_there_are(adata, make_result):
    with pytest.raises(InputError, match=r"key='rank_genes'.*no results yet.*dex.tl.rank_genes"):
        StoredResult.from_adata(adata, "rank_genes")
    store(adata, make_result(), key="mine")
    with pytest.raises(InputError, match=r"results under \['mine'\]"):
        StoredResult.from_adata(adata, "rank_genes")


def test_an_array_that_went_missing_is_named(adata, stored):
    del adata.varm["rank_genes_padj"]
    with pytest.raises(InputError, match=r"lost \['padj'\]"):
        StoredResult.from_adata(adata, "rank_genes")


def test_an_unknown_column_names_those_that_there_are(stored):
    with pytest.raises(InputError, match=r"column 'auc'.*it has log2fc, stat"):
        stored.values("auc")
