"""Predict a label from expression, and say honestly how well."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from dex._logging import logger
from dex.learn.estimators import check_estimator, is_own
from dex.learn.folds import auto_splits
from dex.learn.model import Model, of_table
from dex.learn.permutation import Null, permutation_null
from dex.learn.recipe import Recipe
from dex.learn.scores import Area, area_of, confusion, curves, decided, metrics
from dex.learn.units import Units
from dex.learn.validation import Predictions, Scored, cross_validate
from dex.results.actual import check_writable
from dex.tl._genes import genes_tested
from dex.tl._learning import (
    FoldPlan,
    Measured,
    donors_of,
    measure,
    plan_folds,
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
    outcome_of,
    permutation_entry,
    read_classes,
    recorded,
    warn_of_clusters,
)

if TYPE_CHECKING:
    from anndata import AnnData
    from numpy.typing import ArrayLike

    from dex.typing import Int


_MADE_BY = "dex.tl.classify"
_ALPHA = 0.05


def classify(
    adata: AnnData,
    groupby: str,
    *,
    replicate: str | None = "auto",
    block: str | None = None,
    reference: str | None = None,
    estimator: Any = "logistic",
    n_genes: int | None = 50,
    select: str = "limma",
    cv: int | str = "auto",
    repeats: int | None = None,
    n_permutations: int = 200,
    layer: str | None = None,
    scale: str | None = None,
    unit: str | None = None,
    size_factors: str = "auto",
    mask_var: str | ArrayLike | None = None,
    key_added: str = "classify",
    seed: int = 0,
    n_threads: int | None = None,
) -> Model:
    """Learn to tell groups from expression, and test it on donors that were not learnt from.

    All that looks at the data (normalisation across samples, the choice of genes, scaling, the
    fit) is done within the folds of a cross-validation, from training donors alone. On noise,
    choosing genes before it makes an area under the ROC curve of 1, and so do cells of one donor
    on both sides of a fold. The model that is returned is fitted to everybody.

    Parameters
    ----------
    adata
        Observations (samples or cells) x genes: counts or logs in ``X`` or in a layer.
    groupby
        Column of ``adata.obs`` with two or more classes. Observations without a label are left
        out.
    replicate
        Column of ``obs`` that names the independent unit (donor, animal): all its observations
        are on one side of a fold, count as much as those of any other, and have one score.
        ``"auto"`` takes the column that obviously does so, if there is one; None takes every
        observation for independent.
    block
        Column of ``obs``, a nuisance of samples (batch, study): the mean of each gene in each of
        its levels, in training, is taken off on both sides of the fold. So is what the classes
        differ by where levels hold more of one of them; to keep that would let the batch tell the
        class. A level that was not in training is left as it is, and so are new data.
    reference
        Class that the other is told from; found as :func:`dex.tl.rank_genes` does. Probabilities
        are of the other.
    estimator
        ``"logistic"`` (ridge logistic regression, scikit-learn's default), ``"centroids"`` (nearest
        shrunken centroids), any classifier of scikit-learn with ``predict_proba``, or a function
        that builds a compiled Keras model from the numbers of features and of classes.
    n_genes
        Genes chosen in each fold; None takes all.
    select
        The test that chooses them, on means of donors: ``"limma"`` (moderated t or F), ``"t-test"``
        or ``"wilcoxon"``.
    cv
        Number of folds; ``"auto"`` is 5, or as many as the rarest class has donors; or a column of
        ``obs`` each of whose levels (as a study) is tested by the others.
    repeats
        Times that donors are dealt into folds anew; by default 3, less for more than 60 donors.
    n_permutations
        Times that all of it is done with permuted labels, for the p-value; 0 for none. If there are
        no more different ways to deal the labels to the donors, each is taken once.
    layer, scale, unit
        As for :func:`dex.tl.rank_genes`. Where ``X`` holds logs and a layer ``"counts"`` counts,
        these are taken.
    size_factors
        Of samples: ``"tmm"`` (the default) against a training sample, or ``"library"``. Cells are
        brought to 10,000 counts each, which no other cell has a part in.
    mask_var
        Genes to use: a boolean column of ``adata.var``, or a boolean array.
    key_added
        Where the result goes; an earlier one there is replaced.
    seed
        The same seed gives the same result, with any number of threads.
    n_threads
        Threads; by default the cores that the process may use.

    Returns
    -------
    The model fitted to all observations, for :func:`dex.tl.predict` and :func:`dex.io.save_model`.
    It writes, with ``key`` for ``key_added``:

    ``adata.obs[f"{key}_probability"]``
        Out-of-fold probability of the class that is not the reference, mean over repeats. Of more
        than two classes they are in ``obsm[f"{key}_probability"]``.
    ``adata.obs[f"{key}_predicted"]``, ``obs[f"{key}_own"]``
        The class whose probability is highest relative to its share of the donors; and the
        probability of the observation's own label, which is low where that is wrong.
    ``adata.var[f"{key}_frequency"]``, ``var[f"{key}_coef"]``, ``var[f"{key}_rank"]``
        Share of the fits for which a gene was chosen; its coefficient in the model returned, on
        standard deviations (``varm`` for several classes), or its importance, which has no sign;
        its rank by the size of that.
    ``adata.uns[key]``
        ``metrics``, ``fold_auc``, ``confusion``, ``curves``, ``permutation``, ``params``.

    :func:`dex.get.metrics_df` makes a table of it.

    Raises
    ------
    dex.errors.InputError
        If something cannot be used as asked, if a class has fewer than three independent units, or
        if copies of an observation have different labels; ``adata`` is then unchanged.

    Notes
    -----
    ``auc`` is the mean over folds, which are never pooled; of several classes the mean over pairs
    (Hand & Till). Its units are donors where these are of one class each, else observations. The
    interval is over donors: Newcombe's score interval with the variance of cross-validated areas
    under permutation, or the clustered variance of Obuchowski where donors have several classes.

    See Also
    --------
    dex.pl.roc, dex.pl.calibration_curve, dex.pl.confusion, dex.pl.permutation_null

    Examples
    --------
    >>> import dex
    >>> adata = dex.datasets.simulate_counts(n_genes=200, n_per_group=8, seed=1)
    >>> model = dex.tl.classify(adata, "condition", n_permutations=19, repeats=1)
    >>> model
    Model('condition': control, treated; 50 genes; Logistic)
    >>> adata.uns["classify"]["metrics"]["auc"]
    1.0
    """
    check_writable(adata)
    check_place(adata, key_added, made_by=_MADE_BY)
    check_estimator(estimator, classify=True)
    check_options(select, n_genes, n_permutations, repeats)
    classes, codes, rows = read_classes(adata, groupby, reference)
    measured = measure(
        adata,
        rows,
        genes_tested(adata, mask_var),
        layer=layer,
        scale=scale,
        unit=unit,
        size_factors=size_factors,
    )
    donors, named = donors_of(adata, groupby, replicate, rows, unit=measured.source.unit)
    units = together(Units.of(codes, donors), measured.table)
    plan = plan_folds(cv, repeats, units, adata, rows, auto=auto_splits(units))
    recipe = Recipe(estimator, n_genes, select, seed)  # type: ignore[arg-type]  # checked
    for note in measured.notes:
        logger.info(note)
    warn_of_clusters(adata, groupby, measured.source.layer)
    batches = batches_of(adata, block, rows, codes, unit=measured.source.unit)
    learnt = learn(
        measured,
        units,
        recipe,
        plan,
        batches=batches,
        n_permutations=n_permutations,
        seed=seed,
        n_threads=n_threads,
    )
    fitted = recipe.fit(measured.table, np.arange(len(rows)), outcome_of(units, batches))
    params = {
        "groupby": groupby,
        "reference": classes[0],
        "estimator": estimator_name(estimator),
        "n_genes": -1 if n_genes is None else n_genes,
        "select": select,
        "areas_over": "donors" if units.constant and named else "observations",
        **recorded(
            measured,
            units,
            replicate=named,
            block=block,
            folds=plan.words,
            n_repeats=plan.n_repeats,
            seed=seed,
        ),
    }
    model = Model(
        groupby,
        classes,
        of_table(fitted, measured.table, np.arange(len(rows))),
        np.asarray(adata.var_names, dtype=object)[measured.genes],
        params,
    )
    _store(adata, key_added, model, learnt=learnt, measured=measured, units=units)
    _tell(learnt, units)
    return model


@dataclass(frozen=True, slots=True)
class Learnt:
    """What cross-validation and permutation have found."""

    predictions: Predictions
    scored: Scored
    area: Area
    null: Null | None


def learn(
    measured: Measured,
    units: Units,
    recipe: Recipe,
    plan: FoldPlan,
    *,
    batches: Int | None,
    n_permutations: int,
    seed: int,
    n_threads: int | None,
) -> Learnt:
    """Cross-validate with the labels given, and with permuted ones."""
    one_by_one = not (is_own(recipe.estimator) or hasattr(recipe.estimator, "fit"))
    mapper = threads(1 if one_by_one else n_threads, "folds")
    folds, permuted = np.random.SeedSequence(seed).spawn(2)
    predictions = cross_validate(
        measured.table,
        outcome_of(units, batches),
        plan.make(units, np.random.default_rng(folds)),
        recipe,
        mapper=mapper,
    )
    scored = Scored.of(predictions, units)
    null = None
    if n_permutations:

        def area(units: Units, rng: np.random.Generator) -> float:
            repeats = plan.make(units, rng)
            found = cross_validate(measured.table, outcome_of(units, batches), repeats, recipe)
            return Scored.of(found, units).area()

        null = permutation_null(units, area, n_permutations, permuted, mapper)
    return Learnt(predictions, scored, area_of(scored, null, constant=units.constant), null)


def _store(
    adata: AnnData, key: str, model: Model, *, learnt: Learnt, measured: Measured, units: Units
) -> None:
    probability = learnt.predictions.mean
    scores, codes = learnt.scored.mean, learnt.scored.codes
    prior = np.bincount(units.unit_codes) / len(units.unit_codes)
    n_classes, n_obs = len(model.classes), adata.n_obs
    said = np.full(n_obs, -1)
    said[measured.rows] = decided(probability, prior)
    every = spread(probability, measured.rows, n_obs)
    own = np.take_along_axis(probability, units.codes[:, None], axis=1)[:, 0]
    obs = {
        "predicted": pd.Categorical.from_codes(
            said, dtype=pd.CategoricalDtype(list(model.classes))
        ),
        "own": spread(own, measured.rows, n_obs),
    }
    if n_classes == 2:
        obs = {"probability": every[:, 1], **obs}
    frequency = learnt.predictions.genes / learnt.predictions.n_fits
    coefs, matrices = importance(model, measured, adata.n_vars)
    entry = {
        "made_by": _MADE_BY,
        "format_version": 1,
        "params": model.params,
        "classes": np.array(model.classes, dtype=object),
        "has_signs": model.has_signs,
        "metrics": {
            "auc": learnt.area.auc,
            "auc_low": learnt.area.low,
            "auc_high": learnt.area.high,
            **metrics(scores, codes, prior),
            "pval": np.nan if learnt.null is None else learnt.null.pval(learnt.area.auc),
        },
        "fold_auc": learnt.area.by_fold,
        "confusion": confusion(codes, decided(scores, prior), n_classes).astype(np.int64),
        "curves": curves(learnt.scored, model.classes),
        "permutation": permutation_entry(learnt.null, learnt.area.auc),
    }
    write(
        adata,
        key,
        entry,
        obs=obs,
        var={"frequency": spread(frequency, measured.genes, adata.n_vars), **coefs},
        obsm={"probability": every} if n_classes > 2 else {},
        varm=matrices,
    )


def _tell(learnt: Learnt, units: Units) -> None:
    area = learnt.area
    over = "" if units.constant else "the observations of "
    logger.info(
        "AUC %.3f (95%% interval %.3f to %.3f) over %s%d independent units.",
        area.auc,
        area.low,
        area.high,
        over,
        units.n_donors,
    )
    if learnt.null is not None and units.least_pval() > _ALPHA:
        logger.warning(
            "the labels can be dealt in %d ways only, so that p cannot be below %.3g.",
            int(learnt.null.n_possible),
            units.least_pval(),
        )
