"""Use a model on data that it has never seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from dex._logging import logger
from dex.data import Source
from dex.data.scale import Scale
from dex.data.source import counts_source, has_counts, var_of
from dex.design.labels import column_of
from dex.design.wording import listed
from dex.errors import InputError
from dex.learn.model import Model, check_overlap
from dex.learn.scores import decided
from dex.results.actual import check_writable
from dex.tl._learning import logged, read_matrix
from dex.tl._learning_store import check_place, write

if TYPE_CHECKING:
    from typing import Any

    from anndata import AnnData

_MADE_BY = "dex.tl.predict"


def predict(
    adata: AnnData,
    model: Model,
    *,
    layer: str | None = None,
    scale: str | None = None,
    gene_symbols: str | None = None,
    min_overlap: float = 0.8,
    key_added: str = "predict",
) -> pd.DataFrame:
    """Predict new observations with a model of :func:`dex.tl.classify` or its like.

    Genes are matched by name, and may be in any order. Counts are normalised against what the
    model remembers of its training samples: no new observation has a part in the prediction of
    another, so that one sample alone can be predicted.

    Parameters
    ----------
    adata
        New observations; counts, if the model was trained on counts.
    model
        From :func:`dex.tl.classify`, ``regress``, ``signature`` or :func:`dex.io.load_model`.
    layer, scale
        As for :func:`dex.tl.rank_genes`.
    gene_symbols
        Column of ``adata.var`` with the names that the model knows genes by, instead of
        ``var_names``.
    min_overlap
        Share of the model's genes that have to be there. Those that are missing are taken to be as
        they were in training on average.
    key_added
        Where the result goes; an earlier one there is replaced.

    Returns
    -------
    A table of the predictions: the class and a probability for every class, or a number. It
    writes, with ``key`` for ``key_added``:

    ``adata.obs[f"{key}_predicted"]``
        The class that is most probable relative to its share in training; or the number.
    ``adata.obs[f"{key}_probability"]``
        Of the class that is not the reference; of more than two classes they are in
        ``obsm[f"{key}_probability"]``.
    ``adata.uns[key]``
        ``missing`` genes, ``overlap``, and the model's ``params``.

    Raises
    ------
    dex.errors.InputError
        If fewer of the genes are there than ``min_overlap`` asks for, if names stand for several
        genes, if a sample is empty, or if the values are not what the model was trained on;
        ``adata`` is then unchanged.

    Examples
    --------
    >>> import dex
    >>> adata = dex.datasets.simulate_counts(n_genes=200, n_per_group=8, seed=1)
    >>> model = dex.tl.classify(adata, "condition", n_permutations=0, repeats=1)
    >>> new = adata[[0, 15], ::-1].copy()
    >>> dex.tl.predict(new, model)["predicted"].tolist()
    ['control', 'treated']
    """
    check_writable(adata)
    check_place(adata, key_added, made_by=_MADE_BY)
    _check_model(model)
    _check_names(model)
    names = _names(adata, gene_symbols, model)
    n_missing = int((~np.isin(model.genes.astype(str), names)).sum())
    check_overlap(model, n_missing, min_overlap)
    values, missing = model.predict(_values(adata, model, layer, scale), names.tolist())
    absent = model.genes[missing].astype(str)
    if len(absent):
        logger.warning(
            "%d of the %d genes of the model are missing (%s), and taken to be as in training.",
            len(absent),
            len(model.genes),
            listed(absent, limit=5),
        )
    table = _table(adata, model, values)
    obs: dict[str, Any] = {"predicted": table["predicted"].array}
    if len(model.classes) == 2:
        obs["probability"] = values[:, 1]
    entry = {
        "made_by": _MADE_BY,
        "format_version": 1,
        "classes": np.array(model.classes, dtype=object),
        "missing": np.array(absent.tolist(), dtype=object),
        "overlap": 1 - len(absent) / len(model.genes),
        "params": model.params,
    }
    write(
        adata,
        key_added,
        entry,
        obs=obs,
        var={},
        obsm={"probability": values} if len(model.classes) > 2 else {},
    )
    return table


def _check_model(model: object) -> None:
    if not isinstance(model, Model):
        msg = f"model={type(model).__name__} is no model; give what dex.tl.classify returns."
        raise InputError(msg)


def _check_names(model: Model) -> None:
    names, counts = np.unique(model.background.astype(str), return_counts=True)
    repeated = np.intersect1d(names[counts > 1], model.genes.astype(str))
    if len(repeated):
        msg = (
            f"{listed(repeated, limit=5)} stood for several genes in training, so that it is not "
            "known which the model means; adata.var_names_make_unique() tells them apart there."
        )
        raise InputError(msg)


def _names(adata: AnnData, gene_symbols: str | None, model: Model) -> np.ndarray[Any, Any]:
    if gene_symbols is None:
        names = np.asarray(adata.var_names).astype(str)
    else:
        names = (
            column_of(var_of(adata), gene_symbols, argument="gene_symbols").to_numpy().astype(str)
        )
    different, counts = np.unique(names, return_counts=True)
    repeated = np.intersect1d(different[counts > 1], model.genes.astype(str))
    if len(repeated) and gene_symbols is not None:
        msg = (
            f"gene_symbols={gene_symbols!r}: {listed(repeated, limit=5)} of the model's genes "
            "stand for several rows of adata.var; keep one of each."
        )
        raise InputError(msg)
    if (counts > 1).any() and gene_symbols is None:
        msg = (
            f"{int((counts > 1).sum())} names stand for several genes (the first is "
            f"{different[counts > 1][0]!r}); adata.var_names_make_unique() tells them apart."
        )
        raise InputError(msg)
    return np.asarray(names)


def _values(adata: AnnData, model: Model, layer: str | None, scale: str | None) -> Any:
    method = model.fitted.depth.method
    unit = "cells" if method == "cells" else str(model.params.get("unit", "samples"))
    if scale is None and method != "none" and layer is None:
        source = Source.from_adata(adata, unit=unit)
        if source.scale is not Scale.COUNTS and has_counts(adata, source):
            source = counts_source(adata, source, need="")
    else:
        source = Source.from_adata(adata, layer=layer, scale=scale, unit=unit)
    counts = source.scale is Scale.COUNTS
    if counts != (method != "none"):
        wanted = "values as they were in training, on a log scale" if counts else "counts"
        msg = f"{source.where} holds {source.scale.words}, and the model needs {wanted}."
        raise InputError(msg)
    _check_logs(source, model)
    values = read_matrix(source, np.arange(adata.n_obs), np.arange(adata.n_vars))
    sizes = np.asarray(values.sum(axis=1)).ravel()
    if method in {"tmm", "library"} and (sizes <= 0).any():
        empty = source.obs_names[int(np.argmin(sizes))]
        msg = f"the sample {empty!r} has no counts in {source.where}; drop it."
        raise InputError(msg)
    return logged(values, source.scale)


def _check_logs(source: Source, model: Model) -> None:
    """Refuse logs of another kind than those of training; linear values are logged as there."""
    if "scale" not in model.params:
        return
    trained = Scale(model.params["scale"])
    kinds = [Scale.LOG2P1 if one is Scale.LINEAR else one for one in (trained, source.scale)]
    if all(kind.is_log for kind in kinds) and kinds[0] is not kinds[1]:
        msg = (
            f"{source.where} holds {source.scale.words}, and the model was trained on "
            f"{trained.words}; if they are the same, say scale={str(trained)!r}."
        )
        raise InputError(msg)


def _table(adata: AnnData, model: Model, values: np.ndarray[Any, Any]) -> pd.DataFrame:
    index = pd.Index(adata.obs_names)
    if not model.classes:
        return pd.DataFrame({"predicted": values[:, 0]}, index=index)
    said = decided(values, model.fitted.prior)
    table = pd.DataFrame(
        {
            "predicted": pd.Categorical.from_codes(
                said, dtype=pd.CategoricalDtype(list(model.classes))
            )
        },
        index=index,
    )
    for k, name in enumerate(model.classes):
        table[f"probability of {name}"] = values[:, k]
    return table
