"""AnnData from and to its own formats, with errors in one line."""

from __future__ import annotations

import warnings
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import anndata
import h5py

from dex.errors import InputError
from dex.io._atomic import atomic_path
from dex.io._text import check_is_file, first_bytes, reading

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from anndata import AnnData

_HDF5 = b"\x89HDF\r\n\x1a\n"
_ZARR_MARKS = ("zarr.json", ".zgroup", ".zattrs")


def read_h5ad(path: str | os.PathLike[str], *, backed: Literal["r", "r+"] | None = None) -> AnnData:
    """Read an AnnData from an h5ad file.

    Parameters
    ----------
    path
        The file.
    backed
        Leave ``X`` on disk: ``"r"`` to read, ``"r+"`` also to write.

    Raises
    ------
    InputError
        The file is missing, truncated, or something else: a text table, a 10x or loom HDF5.

    Examples
    --------
    >>> import dex, pathlib, tempfile
    >>> adata = dex.datasets.simulate_counts(n_genes=20, seed=0)
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> dex.io.write_h5ad(adata, folder / "a.h5ad")
    >>> dex.io.read_h5ad(folder / "a.h5ad").shape
    (6, 20)
    """
    path = Path(path)
    check_is_file(path)
    _check_is_h5ad(path)
    with _plain_errors(path, "h5ad"):
        return anndata.read_h5ad(path, backed=backed)


def read_zarr(path: str | os.PathLike[str]) -> AnnData:
    """Read an AnnData from a zarr store, which is a folder.

    Raises
    ------
    InputError
        The folder is missing, or is no zarr store, or one that holds no AnnData.

    Examples
    --------
    >>> import dex, pathlib, tempfile
    >>> adata = dex.datasets.simulate_counts(n_genes=20, seed=0)
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> dex.io.write_zarr(adata, folder / "a.zarr")
    >>> dex.io.read_zarr(folder / "a.zarr").shape
    (6, 20)
    """
    path = Path(path)
    if not path.exists():
        msg = f"'{path}' does not exist."
        raise InputError(msg)
    if not _is_zarr(path):
        kind = "a folder without zarr metadata" if path.is_dir() else "a file"
        msg = f"'{path}' is {kind}, not a zarr store."
        raise InputError(msg)
    if not (path / "obs").is_dir() or not (path / "var").is_dir():
        msg = f"'{path}' is a zarr store but holds no AnnData: it has no 'obs' and 'var'."
        raise InputError(msg)
    with _plain_errors(path, "zarr"):
        return anndata.read_zarr(path)


def write_h5ad(
    adata: AnnData,
    path: str | os.PathLike[str],
    *,
    compression: Literal["gzip", "lzf"] | None = None,
) -> None:
    """Write ``adata`` as h5ad, whole or not at all: a file that is there survives any failure.

    Raises
    ------
    InputError
        There is no such folder.

    Examples
    --------
    >>> import dex, pathlib, tempfile
    >>> adata = dex.datasets.simulate_counts(n_genes=20, seed=0)
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> dex.io.write_h5ad(adata, folder / "a.h5ad")
    >>> [path.name for path in folder.iterdir()]
    ['a.h5ad']
    """
    # Unlike the method, anndata's function leaves a backed AnnData on the file it came from.
    with atomic_path(path) as temporary, _any_strings():
        anndata.io.write_h5ad(temporary, adata, compression=compression)


def write_zarr(adata: AnnData, path: str | os.PathLike[str]) -> None:
    """Write ``adata`` as a zarr store, whole or not at all.

    Raises
    ------
    InputError
        There is no such folder, or ``path`` is something other than a zarr store.

    Examples
    --------
    >>> import dex, pathlib, tempfile
    >>> adata = dex.datasets.simulate_counts(n_genes=20, seed=0)
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> dex.io.write_zarr(adata, folder / "a.zarr")
    >>> [path.name for path in folder.iterdir()]
    ['a.zarr']
    """
    target = Path(path)
    if (
        target.exists()
        and not _is_zarr(target)
        and not (target.is_dir() and not any(target.iterdir()))
    ):
        msg = f"'{path}' exists and is not a zarr store; it is not replaced. Choose another name."
        raise InputError(msg)
    with atomic_path(path) as temporary, _any_strings(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Writing zarr v2 data", category=UserWarning)
        anndata.io.write_zarr(temporary, adata)


def _any_strings() -> AbstractContextManager[None]:
    """Let through the nullable strings that newer files come with and anndata 0.12 reads."""
    return anndata.settings.override(allow_write_nullable_strings=True)


def _is_zarr(path: Path) -> bool:
    return any((path / mark).is_file() for mark in _ZARR_MARKS)


def _check_is_h5ad(path: Path) -> None:
    with reading(path):
        if first_bytes(path, len(_HDF5)) != _HDF5:
            msg = f"'{path}' is not an h5ad file. Read a table with dex.io.read_counts."
            raise InputError(msg)
    try:
        with h5py.File(path, "r") as store:
            names = set(store)
    except (OSError, KeyError, RuntimeError) as error:
        msg = f"'{path}' is damaged or incomplete ({error}); copy or download it again."
        raise InputError(msg) from error
    if not {"obs", "var"} <= names:
        raise InputError(_other_hdf5(path, names))


def _other_hdf5(path: Path, names: set[str]) -> str:
    if "matrix" in names and "row_attrs" in names:
        kind = "a loom file; read it with anndata.io.read_loom"
    elif "matrix" in names:
        kind = "10x Genomics' own HDF5; read it with scanpy.read_10x_h5"
    else:
        kind = f"HDF5 with {', '.join(sorted(names)[:5]) or 'nothing'} in it"
    return f"'{path}' is no h5ad but {kind}."


@contextmanager
def _plain_errors(path: Path, kind: str) -> Iterator[None]:
    """One line for whatever anndata, h5py and zarr raise at a store that is there but wrong."""
    try:
        yield
    except (OSError, KeyError, ValueError, TypeError, AttributeError, RuntimeError) as error:
        reason = str(error).partition("\n")[0]
        msg = f"'{path}' cannot be read as {kind} ({type(error).__name__}: {reason})."
        raise InputError(msg) from error
