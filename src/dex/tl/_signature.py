"""The smallest panel of genes that predicts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dex._logging import logger
from dex.errors import InputError
from dex.learn.estimators import check_estimator
from dex.learn.folds import auto_splits
from dex.learn.model import Model, of_table
from dex.learn.nested import Search, Searched, search
from dex.learn.panels import PANEL_METHODS, stability
from dex.learn.permutation import Null, permutation_null
from dex.learn.recipe import Outcome, Recipe, unit_values
from dex.learn.scores import area_of, confusion, curves, decided, metrics
from dex.learn.units import Units
from dex.learn.validation import Scored
from dex.results.actual import check_writable
from dex.tl._genes import genes_tested
from dex.tl._learning import (
    Measured,
    check_count,
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
    importance,
    outcome_of,
    permutation_entry,
    read_classes,
    recorded,
    warn_of_clusters,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from anndata import AnnData
    from numpy.typing import ArrayLike

    from dex.typing import Int

_MADE_BY = "dex.tl.signature"
_SIZES = (1, 2, 3, 5, 7, 10, 15, 20, 30, 50)
_THRESHOLD = 0.6
"""Meinshausen & Bühlmann's least frequency of a stable variable."""


def signature(
    adata: AnnData,
    groupby: str,
    *,
    method: str = "stability",
    n_genes: int | None = None,
    sizes: Sequence[int] = _SIZES,
    replicate: str | None = "auto",
    block: str | None = None,
    reference: str | None = None,
    cv: int | str = "auto",
    repeats: int = 2,
    n_subsamples: int = 50,
    n_permutations: int = 0,
    layer: str | None = None,
    scale: str | None = None,
    unit: str | None = None,
    size_factors: str = "auto",
    mask_var: str | ArrayLike | None = None,
    key_added: str = "signature",
    seed: int = 0,
    n_threads: int | None = None,
) -> Model:
    """Find the smallest panel of genes that tells groups apart, and test it honestly.

    Genes are ordered and panels tested by nested cross-validation: in each fold the genes are
    chosen from training donors, and so is the size, by a cross-validation within these. The area
    under the ROC curve in ``metrics`` is that of the whole procedure, on donors without any part in
    it; on noise it is 0.5. The panel returned is chosen from everybody in the same way.

    Parameters
    ----------
    adata
        Observations (samples or cells) x genes: counts or logs in ``X`` or in a layer.
    groupby
        Column of ``adata.obs`` with two or more classes.
    method
        ``"stability"``: genes that are often among the first in lasso paths of halves of the
        donors. ``"lasso"``: the order of entry into the path of all donors. ``"mrmr"``: most
        relevant and least redundant. ``"centroids"``: nearest shrunken centroids, which also
        predict. ``"t-test"``: the best moderated F. All others predict by logistic regression.
    n_genes
        Size of the panel; by default the smallest of ``sizes`` whose area is within one standard
        error of the best.
    sizes
        Sizes to be compared.
    n_subsamples
        Halves of the donors that stability selection looks at.
    cv, repeats, n_permutations
        Outer folds, as for :func:`dex.tl.classify`.
    replicate, block, reference, layer, scale, unit, size_factors, mask_var, key_added, seed
        As for :func:`dex.tl.classify`.
    n_threads
        Likewise.

    Returns
    -------
    The model of the panel, for :func:`dex.tl.predict` and :func:`dex.io.save_model`. It writes,
    with ``key`` for ``key_added``:

    ``adata.var[f"{key}_selected"]``, ``var[f"{key}_rank"]``
        Whether a gene is in the panel, and its rank in it (1 is chosen first).
    ``adata.var[f"{key}_frequency"]``, ``var[f"{key}_coef"]``
        Share of the folds whose panel it is in; coefficient on standard deviations (``varm`` for
        several classes).
    ``adata.obs[f"{key}_probability"]``, ``obs[f"{key}_own"]``
        As of :func:`dex.tl.classify`; by the panels of the folds.
    ``adata.uns[key]``
        ``panel``, ``sizes`` (``n_genes``, ``auc``, ``se``), ``chosen_sizes`` of the folds,
        ``metrics``, ``curves``, ``confusion``, ``permutation``, ``params`` and, of stability
        selection, its ``path``.

    Raises
    ------
    dex.errors.InputError
        If something cannot be used as asked, or if a class has fewer than three independent units;
        ``adata`` is then unchanged.

    See Also
    --------
    dex.pl.panel_size, dex.pl.stability, dex.pl.importance, dex.get.signature_df

    Examples
    --------
    >>> import dex
    >>> adata = dex.datasets.simulate_counts(n_genes=200, n_per_group=8, log2fc_sd=2, seed=1)
    >>> model = dex.tl.signature(adata, "condition", method="t-test", sizes=(1, 2, 5), repeats=1)
    >>> len(model.genes) in (1, 2, 5)
    True
    """
    check_writable(adata)
    check_place(adata, key_added, made_by=_MADE_BY)
    genes = genes_tested(adata, mask_var)
    tried = _check_options(
        method,
        n_genes,
        sizes=sizes,
        n_subsamples=n_subsamples,
        repeats=repeats,
        n_vars=len(genes),
    )
    check_count("n_permutations", n_permutations, 0)
    classes, codes, rows = read_classes(adata, groupby, reference)
    measured = measure(
        adata,
        rows,
        genes,
        layer=layer,
        scale=scale,
        unit=unit,
        size_factors=size_factors,
    )
    donors, named = donors_of(adata, groupby, replicate, rows, unit=measured.source.unit)
    units = together(Units.of(codes, donors), measured.table)
    batches = batches_of(adata, block, rows, codes, unit=measured.source.unit)
    plan = plan_folds(cv, repeats, units, adata, rows, auto=auto_splits(units))
    estimator = "centroids" if method == "centroids" else "logistic"
    check_estimator(estimator, classify=True)
    how = Search(Recipe(estimator, seed=seed), method, tried, n_subsamples, n_genes)  # type: ignore[arg-type]
    for note in measured.notes:
        logger.info(note)
    warn_of_clusters(adata, groupby, measured.source.layer)
    folds, permuted = np.random.SeedSequence(seed).spawn(2)
    mapper = threads(n_threads, "panels")
    found = search(
        measured.table,
        units,
        outcome_of(units, batches),
        plan.make(units, np.random.default_rng(folds)),
        how=how,
        seed=seed,
        mapper=mapper,
    )

    def area(units: Units, rng: np.random.Generator) -> float:
        repeats = plan.make(units, rng)
        again = search(
            measured.table, units, outcome_of(units, batches), repeats, how=how, seed=seed
        )
        return Scored.of(again.predictions, units).area()

    null = (
        permutation_null(units, area, n_permutations, permuted, mapper) if n_permutations else None
    )
    every = np.arange(len(rows))
    size = found.sizes.smallest_good() if n_genes is None else n_genes
    order = how.order(measured.table, every, outcome_of(units, batches), seed)[:size]
    fitted = how.recipe.fit(measured.table, every, outcome_of(units, batches), order)
    params = {
        "groupby": groupby,
        "reference": classes[0],
        "method": method,
        "estimator": estimator,
        "n_genes": len(order),
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
    names = np.asarray(adata.var_names, dtype=object)[measured.genes]
    model = Model(groupby, classes, of_table(fitted, measured.table, every), names, params)
    path = (
        _path(measured, outcome_of(units, batches), how, adata, seed)
        if method == "stability"
        else None
    )
    _store(
        adata,
        key_added,
        model,
        found=found,
        null=null,
        measured=measured,
        units=units,
        path=path,
    )
    metric = adata.uns[key_added]["metrics"]
    logger.info(
        "%d genes; AUC of the procedure %.3f (95%% interval %.3f to %.3f), %d independent units.",
        len(order),
        metric["auc"],
        metric["auc_low"],
        metric["auc_high"],
        units.n_donors,
    )
    return model


def _check_options(
    method: str,
    n_genes: int | None,
    *,
    sizes: Sequence[int],
    n_subsamples: int,
    repeats: int,
    n_vars: int,
) -> Int:
    if method not in PANEL_METHODS:
        known = ", ".join(map(repr, PANEL_METHODS))
        msg = f"method={method!r} is not known; it is one of {known}."
        raise InputError(msg)
    if n_genes is not None:
        check_count("n_genes", n_genes, 1)
        if n_genes > n_vars:
            msg = f"n_genes={n_genes} is more than the {n_vars} genes that there are."
            raise InputError(msg)
    check_count("n_subsamples", n_subsamples, 2)
    check_count("repeats", repeats, 1)
    for size in sizes:
        check_count("sizes", size, 1)
    tried = np.unique([size for size in sizes if size <= n_vars])
    if not len(tried):
        msg = f"sizes={tuple(sizes)!r} has no size up to the {n_vars} genes that there are."
        raise InputError(msg)
    return tried.astype(np.intp)


def _path(
    measured: Measured, outcome: Outcome, how: Search, adata: AnnData, seed: int
) -> dict[str, Any]:
    """How often genes are let in, from everybody, for the picture."""
    rows = np.arange(len(outcome.y))
    values, codes = unit_values(measured.table, measured.table.fit(rows), rows, outcome)
    n = max(int(how.sizes.max()), how.n_genes or 1)
    rng = np.random.default_rng(seed)
    found = stability(values, codes, n, rng, n_subsamples=how.n_subsamples)
    names = np.asarray(adata.var_names, dtype=object)[measured.genes]
    return {
        "genes": names[found.genes],
        "frequency": found.frequency,
        "n_let_in": np.arange(1, found.frequency.shape[1] + 1),
        "n_subsamples": found.n_subsamples,
        "threshold": _THRESHOLD,
    }


def _store(
    adata: AnnData,
    key: str,
    model: Model,
    *,
    found: Searched,
    null: Null | None,
    measured: Measured,
    units: Units,
    path: dict[str, Any] | None,
) -> None:
    scored = Scored.of(found.predictions, units)
    area = area_of(scored, null, constant=units.constant)
    prior = np.bincount(units.unit_codes) / len(units.unit_codes)
    probability, n_obs = found.predictions.mean, adata.n_obs
    every = spread(probability, measured.rows, n_obs)
    own = np.take_along_axis(probability, units.codes[:, None], axis=1)[:, 0]
    obs: dict[str, Any] = {"own": spread(own, measured.rows, n_obs)}
    if len(model.classes) == 2:
        obs["probability"] = every[:, 1]
    var, matrices = importance(model, measured, adata.n_vars)
    panel = measured.genes[model.fitted.genes]
    selected = np.zeros(adata.n_vars, dtype=bool)
    selected[panel] = True
    rank = spread(np.arange(1.0, len(panel) + 1), panel, adata.n_vars)
    frequency = found.predictions.genes / found.predictions.n_fits
    var |= {
        "rank": rank,
        "selected": selected,
        "frequency": spread(frequency, measured.genes, adata.n_vars),
    }
    scores, codes = scored.mean, scored.codes
    entry = {
        "made_by": _MADE_BY,
        "format_version": 1,
        "params": model.params,
        "classes": np.array(model.classes, dtype=object),
        "panel": model.genes,
        "sizes": {
            "n_genes": found.sizes.n_genes.astype(np.int64),
            "auc": found.sizes.auc,
            "se": found.sizes.se,
            "one_se": found.sizes.one_se,
        },
        "chosen_sizes": found.chosen.astype(np.int64),
        "metrics": {
            "auc": area.auc,
            "auc_low": area.low,
            "auc_high": area.high,
            **metrics(scores, codes, prior),
            "pval": np.nan if null is None else null.pval(area.auc),
        },
        "fold_auc": area.by_fold,
        "confusion": confusion(codes, decided(scores, prior), len(model.classes)).astype(np.int64),
        "curves": curves(scored, model.classes),
        "permutation": permutation_entry(null, area.auc),
        **({} if path is None else {"path": path}),
    }
    write(
        adata,
        key,
        entry,
        obs=obs,
        var=var,
        obsm={"probability": every} if len(model.classes) > 2 else {},
        varm=matrices,
    )
