"""Predict a number from expression, and say honestly how well."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dex._logging import logger
from dex.data.source import obs_of
from dex.design.labels import column_of, is_numeric
from dex.errors import InputError
from dex.learn.estimators import check_estimator, is_own
from dex.learn.model import Model, of_table
from dex.learn.numbers import Predicted, number_folds
from dex.learn.permutation import Null, permutation_null
from dex.learn.recipe import Outcome, Recipe
from dex.learn.units import Units
from dex.learn.validation import cross_validate
from dex.results.actual import check_writable
from dex.tl._genes import genes_tested
from dex.tl._learning import (
    check_count,
    donors_of,
    labelled,
    measure,
    spread,
    threads,
    together,
)
from dex.tl._learning_store import check_place, write
from dex.tl._learning_words import (
    batches_of,
    check_options,
    estimator_name,
    importance,
    permutation_entry,
    recorded,
)

if TYPE_CHECKING:
    from anndata import AnnData
    from numpy.typing import ArrayLike

    from dex.learn.folds import Split
    from dex.typing import Float, Int

_MADE_BY = "dex.tl.regress"
_FEWEST_DONORS = 6
_AUTO_SPLITS = 5


def regress(
    adata: AnnData,
    outcome: str,
    *,
    replicate: str | None = "auto",
    block: str | None = None,
    estimator: Any = "ridge",
    n_genes: int | None = 50,
    select: str = "limma",
    cv: int | str = "auto",
    repeats: int = 3,
    n_permutations: int = 200,
    layer: str | None = None,
    scale: str | None = None,
    unit: str | None = None,
    size_factors: str = "auto",
    mask_var: str | ArrayLike | None = None,
    key_added: str = "regress",
    seed: int = 0,
    n_threads: int | None = None,
) -> Model:
    """Learn a number (age, dose, time) from expression, by the rules of :func:`dex.tl.classify`.

    Parameters
    ----------
    adata
        Observations (samples or cells) x genes: counts or logs in ``X`` or in a layer.
    outcome
        Numeric column of ``adata.obs``. Observations without a number are left out.
    replicate
        Column of ``obs`` that names the independent unit, as for :func:`dex.tl.classify`.
    block
        Nuisance of samples, likewise.
    estimator
        ``"ridge"``, any regressor of scikit-learn, or a function that builds a compiled Keras
        model from the numbers of features and of classes, which is 0.
    n_genes
        Genes chosen in each fold by the slope along the outcome; None takes all.
    select
        ``"limma"`` (moderated F) or ``"t-test"``.
    cv
        Number of folds; ``"auto"`` is 5. Every fold has small and large numbers.
    repeats, n_permutations, layer, scale, unit, size_factors, mask_var, key_added, seed, n_threads
        As for :func:`dex.tl.classify`.

    Returns
    -------
    The model fitted to all observations. It writes, with ``key`` for ``key_added``:

    ``adata.obs[f"{key}_predicted"]``
        Out-of-fold prediction, mean over repeats.
    ``adata.var[f"{key}_frequency"]``, ``var[f"{key}_coef"]``, ``var[f"{key}_rank"]``
        As of :func:`dex.tl.classify`.
    ``adata.uns[key]``
        ``metrics``: ``concordance`` (the share of pairs within a fold that are in the right order,
        0.5 by chance) with its interval over donors and p-value; ``r2`` against the mean of the
        training observations, which is negative where that is better; ``rmse``, ``mae``,
        ``pearson``. Also ``fold_concordance``, ``permutation``, ``params``.

    Raises
    ------
    dex.errors.InputError
        If something cannot be used as asked, or if there are fewer than six independent units;
        ``adata`` is then unchanged.

    Examples
    --------
    >>> import dex
    >>> import numpy as np
    >>> adata = dex.datasets.simulate_counts(n_genes=100, n_per_group=6, seed=1)
    >>> adata.obs["dose"] = np.log(adata[:, "gene0003"].X.ravel() / adata.X.sum(axis=1))
    >>> model = dex.tl.regress(adata, "dose", n_permutations=0, n_genes=5)
    >>> model.genes[0]
    'gene0003'
    >>> adata.uns["regress"]["metrics"]["concordance"] > 0.8
    True
    """
    check_writable(adata)
    check_place(adata, key_added, made_by=_MADE_BY)
    check_estimator(estimator, classify=False)
    check_options(select, n_genes, n_permutations, None)
    check_count("repeats", repeats, 1)
    y, rows = read_numbers(adata, outcome)
    if select == "wilcoxon":
        msg = "select='wilcoxon' compares groups; along a number it is 'limma' or 't-test'."
        raise InputError(msg)
    measured = measure(
        adata,
        rows,
        genes_tested(adata, mask_var),
        layer=layer,
        scale=scale,
        unit=unit,
        size_factors=size_factors,
    )
    donors, named = donors_of(adata, outcome, replicate, rows, unit=measured.source.unit, least=1)
    levels, codes = np.unique(y, return_inverse=True)
    units = together(Units.of(codes.ravel().astype(np.intp), donors), measured.table)
    batches = batches_of(adata, block, rows, y, unit=measured.source.unit)
    n_splits = _splits(cv, units)
    recipe = Recipe(estimator, n_genes, select, seed)  # type: ignore[arg-type]  # checked
    for note in measured.notes:
        logger.info(note)
    folds, permuted = np.random.SeedSequence(seed).spawn(2)
    one_by_one = not (is_own(estimator) or hasattr(estimator, "fit"))
    mapper = threads(1 if one_by_one else n_threads, "folds")

    def plan(units: Units, rng: np.random.Generator) -> list[list[Split]]:
        return [number_folds(units, levels[units.codes], n_splits, rng) for _ in range(repeats)]

    predictions = cross_validate(
        measured.table,
        Outcome(y, units.of_obs, 0, batches),
        plan(units, np.random.default_rng(folds)),
        recipe,
        mapper=mapper,
    )
    predicted = Predicted.of(predictions, units, y)

    def statistic(units: Units, rng: np.random.Generator) -> float:
        y = levels[units.codes]
        found = cross_validate(
            measured.table, Outcome(y, units.of_obs, 0, batches), plan(units, rng), recipe
        )
        return Predicted.of(found, units, y).concordance()

    null = (
        permutation_null(units, statistic, n_permutations, permuted, mapper)
        if n_permutations
        else None
    )
    every = np.arange(len(rows))
    fitted = of_table(
        recipe.fit(measured.table, every, Outcome(y, units.of_obs, 0, batches)),
        measured.table,
        every,
    )
    params = {
        "outcome": outcome,
        "estimator": estimator_name(estimator),
        "n_genes": -1 if n_genes is None else n_genes,
        "select": select,
        **recorded(
            measured,
            units,
            replicate=named,
            block=block,
            folds=f"{n_splits} folds of donors",
            n_repeats=repeats,
            seed=seed,
        ),
    }
    names = np.asarray(adata.var_names, dtype=object)[measured.genes]
    model = Model(outcome, (), fitted, names, params)
    coefs, _ = importance(model, measured, adata.n_vars)
    entry = _entry(predicted, null, params) | {"has_signs": model.has_signs}
    frequency = predictions.genes / predictions.n_fits
    write(
        adata,
        key_added,
        entry,
        obs={"predicted": spread(predictions.mean[:, 0], rows, adata.n_obs)},
        var={"frequency": spread(frequency, measured.genes, adata.n_vars), **coefs},
    )
    found = entry["metrics"]
    logger.info(
        "concordance %.3f (95%% interval %.3f to %.3f), R2 %.3f, over %d independent units.",
        found["concordance"],
        found["concordance_low"],
        found["concordance_high"],
        found["r2"],
        units.n_donors,
    )
    return model


def read_numbers(adata: AnnData, outcome: str) -> tuple[Float, Int]:
    """Numbers of the observations that have one, and their positions.

    Raises
    ------
    InputError
        If the column holds labels, or but one number.
    """
    column = column_of(obs_of(adata), outcome, argument="outcome")
    if not is_numeric(column):
        msg = (
            f"outcome={outcome!r} holds labels; dex.tl.classify predicts those, and "
            "pandas.to_numeric makes numbers of text."
        )
        raise InputError(msg)
    rows = labelled(column)
    y = column.to_numpy(dtype=np.float64, na_value=np.nan)[rows]
    if not np.isfinite(y).all() or len(np.unique(y)) < 2:
        msg = f"outcome={outcome!r} needs finite numbers that differ."
        raise InputError(msg)
    return y, rows


def _splits(cv: int | str, units: Units) -> int:
    n = units.n_donors
    if n < _FEWEST_DONORS:
        msg = f"{n} independent units are too few to predict a number; {_FEWEST_DONORS} are needed."
        raise InputError(msg)
    if cv == "auto":
        return min(_AUTO_SPLITS, n // 2)
    check_count("cv", cv, 2)
    if int(cv) > n // 2:
        msg = (
            f"cv={cv}: at most {n // 2} folds, so that there are pairs in each to be put in order."
        )
        raise InputError(msg)
    return int(cv)


def _entry(predicted: Predicted, null: Null | None, params: dict[str, Any]) -> dict[str, Any]:
    observed = predicted.concordance()
    low, high = predicted.interval(null)
    return {
        "made_by": _MADE_BY,
        "format_version": 1,
        "params": params,
        "metrics": {
            "concordance": observed,
            "concordance_low": low,
            "concordance_high": high,
            **predicted.metrics(),
            "pval": np.nan if null is None else null.pval(observed),
        },
        "fold_concordance": predicted.by_fold(),
        "permutation": permutation_entry(null, observed),
    }
