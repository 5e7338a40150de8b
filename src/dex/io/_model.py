"""Models in one file: JSON and arrays, no pickle, which would run whatever a file says."""

from __future__ import annotations

import io
import json
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dex.errors import InputError
from dex.io._atomic import atomic_path
from dex.io._text import check_is_file

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from dex.learn.model import Model

_FORMAT = "dex-model"
_VERSION = 1
_JSON, _ARRAYS, _SKOPS, _KERAS = "model.json", "arrays.npz", "estimator.skops", "estimator.keras"


def save_model(model: Model, path: str | os.PathLike[str]) -> None:
    """Write a model to one file, whole or not at all.

    The file is a zip of ``model.json`` (names and numbers), ``arrays.npz`` and, where the estimator
    is not one of ours, ``estimator.skops`` or ``estimator.keras``. Nothing in it is a pickle.

    Parameters
    ----------
    model
        From :func:`dex.tl.classify`, ``regress`` or ``signature``.
    path
        The file; any name, as ``"sex.dex.zip"``.

    Raises
    ------
    InputError
        There is no such folder, or the estimator is one of scikit-learn and skops, which writes
        those, is not installed.

    Examples
    --------
    >>> import dex, pathlib, tempfile
    >>> adata = dex.datasets.simulate_counts(n_genes=100, n_per_group=6, seed=1)
    >>> model = dex.tl.classify(adata, "condition", n_permutations=0, repeats=1)
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "model.zip"
    >>> dex.io.save_model(model, path)
    >>> dex.io.load_model(path)
    Model('condition': control, treated; 50 genes; Logistic)
    """
    words, arrays, foreign = model.parts()
    held = {"format": _FORMAT, "version": _VERSION, **words}
    if foreign is not None and _is_keras(foreign.estimator) and not model.classes:
        held["outcome_scale"] = [foreign.estimator.mean_, foreign.estimator.sd_]
    packed = io.BytesIO()
    np.savez_compressed(packed, allow_pickle=False, **arrays)
    entries = {
        _JSON: json.dumps(held, indent=1, allow_nan=True, default=_plain).encode(),
        _ARRAYS: packed.getvalue(),
    }
    if foreign is not None:
        name, content = _foreign_bytes(foreign.estimator)
        entries[name] = content
    with atomic_path(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name, content)


def _plain(value: Any) -> Any:
    """A number of NumPy as one of Python."""
    if isinstance(value, np.generic):
        return value.item()
    msg = f"{type(value).__name__} cannot be written as JSON."
    raise TypeError(msg)


def load_model(path: str | os.PathLike[str], *, trusted: Sequence[str] = ()) -> Model:
    """Read a model that :func:`save_model` has written.

    Parameters
    ----------
    path
        The file.
    trusted
        Types, by full names, that skops may make of a foreign estimator besides those that it knows
        to be harmless. It names those it asks for.

    Raises
    ------
    InputError
        The file is missing or no model, or its estimator needs skops or Keras, or a type that is
        not trusted.

    Examples
    --------
    >>> import dex, pathlib, tempfile
    >>> adata = dex.datasets.simulate_counts(n_genes=100, n_per_group=6, seed=1)
    >>> model = dex.tl.classify(adata, "condition", n_genes=5, n_permutations=0, repeats=1)
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "model.zip"
    >>> dex.io.save_model(model, path)
    >>> dex.tl.predict(adata, dex.io.load_model(path)).shape[0]
    12
    """
    from dex.learn.estimators import Foreign
    from dex.learn.model import Model

    path = Path(path)
    check_is_file(path)
    try:
        with zipfile.ZipFile(path) as archive:
            entries = {name: archive.read(name) for name in archive.namelist()}
        words = json.loads(entries[_JSON])
        with np.load(io.BytesIO(entries[_ARRAYS]), allow_pickle=False) as packed:
            arrays = {name: packed[name] for name in packed.files}
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        msg = f"'{path}' is no model of dex.io.save_model, or it is damaged ({error})."
        raise InputError(msg) from error
    if words.get("format") != _FORMAT or words.get("version", 0) > _VERSION:
        msg = f"'{path}' is of a format that this dex does not read; a newer one may."
        raise InputError(msg)
    foreign = None
    if not words["estimator"]:
        scale = words.get("outcome_scale")
        foreign = Foreign(_foreign(entries, path, trusted, scale), len(words["classes"]))
    return Model.from_parts(words, arrays, foreign)


def _is_keras(estimator: Any) -> bool:
    return type(estimator).__module__.partition(".")[0] == "dex"


def _foreign_bytes(estimator: Any) -> tuple[str, bytes]:
    if _is_keras(estimator):
        return _KERAS, _keras_bytes(estimator)
    return _SKOPS, _skops().dumps(estimator)


def _foreign(
    entries: dict[str, bytes], path: Path, trusted: Sequence[str], scale: Sequence[float] | None
) -> Any:
    if _SKOPS in entries:
        skops = _skops()
        unknown = set(skops.get_untrusted_types(data=entries[_SKOPS])) - set(trusted)
        if unknown:
            names = ", ".join(map(repr, sorted(unknown)))
            msg = (
                f"'{path}' holds an estimator of types that may run code: {names}. If you know "
                "where it is from, name them in trusted=."
            )
            raise InputError(msg)
        return skops.loads(entries[_SKOPS], trusted=list(trusted))
    if _KERAS in entries:
        return _of_keras_bytes(entries[_KERAS], scale)
    msg = f"'{path}' names an estimator that is not in it."
    raise InputError(msg)


def _skops() -> Any:
    try:
        import skops.io
    except ImportError as error:
        msg = "estimators of scikit-learn are written by skops: pip install 'dex-de[models]'."
        raise InputError(msg) from error
    return skops.io


def _keras_bytes(estimator: Any) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / _KERAS
        estimator.model_.save(path)
        return path.read_bytes()


def _of_keras_bytes(content: bytes, scale: Sequence[float] | None) -> Any:
    from dex.learn.keras import loaded_estimator

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / _KERAS
        path.write_bytes(content)
        return loaded_estimator(path, scale)
