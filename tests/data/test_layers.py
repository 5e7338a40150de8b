"""Layers are written with their record, over nothing that is somebody else's, and survive files."""

import anndata as ad
import numpy as np
import pytest

from dex.data.layers import Layer, check_layer, write_layer
from dex.data.scale import Scale
from dex.data.source import Source
from dex.errors import InputError

pytestmark = pytest.mark.filterwarnings(
    "ignore:Writing zarr v2 data will no longer be the default:UserWarning"  # anndata 0.12
)


@pytest.fixture
def adata():
    return ad.AnnData(np.random.default_rng(0).poisson(4.0, size=(6, 10)).astype(float))


def made(adata, name="mine", **options):
    factors = np.linspace(0.5, 2, adata.n_obs)
    options = {"size_factors": factors, "norm_factors": factors / 2, **options}
    matrix = np.log2(adata.X + 1)
    return Layer(name, matrix, Scale.LOG2P1, 0.25, "log2", "X", params={"prior": 2.0}, **options)


def test_what_is_written(adata):
    X = adata.X.copy()
    write_layer(adata, made(adata))
    np.testing.assert_array_equal(adata.X, X)
    np.testing.assert_array_equal(adata.layers["mine"], np.log2(X + 1))
    np.testing.assert_array_equal(adata.obs["mine_size_factors"], np.linspace(0.5, 2, 6))
    assert adata.uns["dex_layers"]["mine"] == {
        "scale": "log2p1",
        "pseudocount": 0.25,
        "method": "log2",
        "source": "X",
        "size_factors": "mine_size_factors",
        "norm_factors": "mine_norm_factors",
        "prior": 2.0,
    }


@pytest.mark.parametrize("form", ["memory", "h5ad", "zarr"])
def test_the_scale_is_known_to_who_reads_the_layer(adata, tmp_path, form):
    write_layer(adata, made(adata))
    if form != "memory":
        getattr(adata, f"write_{form}")(tmp_path / f"a.{form}")
        adata = getattr(ad, f"read_{form}")(tmp_path / f"a.{form}")
    source = Source.from_adata(adata, layer="mine")
    assert (source.scale, source.pseudocount) == (Scale.LOG2P1, 0.25)
    check_layer(adata, "mine", source=None)  # it is still known to be ours


def test_an_earlier_one_of_ours_goes_with_its_columns(adata):
    write_layer(adata, made(adata))
    write_layer(adata, made(adata, "other"))
    before = adata.uns["dex_layers"]["other"]
    write_layer(adata, made(adata, norm_factors=None))
    assert list(adata.obs) == ["mine_size_factors", "other_size_factors", "other_norm_factors"]
    assert adata.uns["dex_layers"]["mine"]["norm_factors"] == ""
    assert adata.uns["dex_layers"]["other"] == before


def test_records_of_others_stay(adata):
    adata.uns["dex_layers"] = {"X": {"scale": "counts"}}
    kept = adata.uns["dex_layers"]
    write_layer(adata, made(adata))
    assert adata.uns["dex_layers"]["X"] == {"scale": "counts"}
    assert list(kept) == ["X"]


@pytest.mark.parametrize("record", [{}, {"mine": {"scale": "log2"}}])
def test_layers_of_others_are_not_overwritten(adata, record):
    adata.layers["mine"] = adata.X * 2
    adata.uns["dex_layers"] = record
    with pytest.raises(InputError, match=r"layers\['mine'\] was not made by dex .*key_added="):
        check_layer(adata, "mine", source=None)


def test_columns_of_others_are_not_overwritten(adata):
    adata.obs["mine_size_factors"] = 1.0
    with pytest.raises(InputError, match=r"obs\['mine_size_factors'\] was not made by dex"):
        check_layer(adata, "mine", source=None)


def test_a_layer_is_not_made_of_itself(adata):
    write_layer(adata, made(adata))
    check_layer(adata, "mine", source=None)
    with pytest.raises(InputError, match=r"layers\['mine'\] is what would be normalised"):
        check_layer(adata, "mine", source="mine")


@pytest.mark.parametrize("name", ["", "X", "a/b", 3])
def test_names_that_cannot_be(adata, name):
    with pytest.raises(InputError, match=r"key_added=.* cannot be the name of a layer"):
        check_layer(adata, name, source=None)
