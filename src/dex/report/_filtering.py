"""Which genes have no p-value and why, and how the values were made comparable."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dex.data.scale import LAYERS_KEY, Scale
from dex.data.size_factors import TITLES
from dex.pp._filter import FILTER_KEY
from dex.report._html import NOTHING, Html, element, join, table
from dex.report._shared import shared
from dex.results.schema import Status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dex.report._ranking import Ranking

STATUS_WORDS = {
    Status.TESTED: "tested",
    Status.FILTERED: "left out before the test",
    Status.ALL_ZERO: "zero in all observations compared",
    Status.NOT_ESTIMABLE: "not estimable",
    Status.NO_REPLICATES: "no replicates",
    Status.CONSTANT: "constant",
    Status.NO_CONVERGENCE: "fit did not converge",
    Status.SINGULAR: "singular fit",
    Status.OUTLIER: "outlier",
    Status.LOW_COUNT: "too low a mean count",
}
FACTOR_COLUMNS = ("size_factors", "norm_factors")
"""Of the record of a layer, what names columns of ``obs``."""
_SCALES = {
    Scale.COUNTS: "counts",
    Scale.LN1P: "natural logs of 1 + normalised counts",
    Scale.LOG2P1: "log2 of 1 + normalised values",
    Scale.LOGCPM: "log2 counts per million",
    Scale.LOG2: "log2 values",
    Scale.LINEAR: "values that are not logged",
    Scale.ZSCORE: "z-scores",
}


def filtering(rankings: Sequence[Ranking]) -> Html:
    """Return status counts, the matrix tested, and the layers that dex has made."""
    said = shared([_of_one(ranking) for ranking in rankings])
    parts = []
    for ranking, own in zip(rankings, said.rest, strict=True):
        if own:
            parts += [element("h3", element("code", ranking.key)), *own]
    return join((*said.common, *parts, _layers(rankings[0])))


def normalisation_words(ranking: Ranking) -> str:
    """Say in one sentence how the values tested came about."""
    params = ranking.params
    where = "X" if params.get("layer") is None else f"layer {params['layer']!r}"
    of = "summed counts" if ranking.is_pseudobulk else where
    scale = scale_words(params.get("scale"))
    if params.get("size_factors"):
        by = TITLES.get(params["size_factors"], f"obs column {params['size_factors']!r}")
        if params.get("counts_modelled"):
            return f"Counts ({of}) were modelled as they are, their depths told by {by}."
        return f"Counts ({of}) were normalised by {by} and tested as {scale}."
    logged = params.get("source_scale") != params.get("scale")
    how = "made on the way" if logged else "used as they are"
    return f"The values tested ({of}) are {scale}, {how}."


def filter_words(ranking: Ranking) -> str:
    """Say which genes :func:`dex.pp.filter_genes` has kept; nothing where it left no record."""
    record = ranking.adata.uns.get(FILTER_KEY)
    if record is None:
        return ""
    n_before, n_after = int(record["n_before"]), int(record["n_after"])
    return f"Of {n_before:,} genes, the {n_after:,} were kept that pass {record['rule']}."


def scale_words(scale: object) -> str:
    """Say what the numbers of a scale are."""
    return next((words for known, words in _SCALES.items() if known == scale), str(scale))


def _of_one(ranking: Ranking) -> list[Html]:
    """Return sentences, and a table where genes have no p-value."""
    rows, known = [], [status for status in Status if _any_has(ranking, status)]
    for test in ranking.tests:
        counts = [test.statuses.get(status.name.lower(), 0) for status in known]
        rows.append((test.name, *counts))
    header = ("Test", *(STATUS_WORDS[status] for status in known))
    shown: Html | None = None
    if known == [Status.TESTED]:
        shown = element("p", all_tested(ranking.adata.n_vars))
    elif known:
        shown = table(header, rows, caption="Genes by status")
    kept = filter_words(ranking)
    lines = [element("p", words) for words in (kept, normalisation_words(ranking)) if words]
    return lines if shown is None else [*lines, shown]


def all_tested(n_vars: int) -> str:
    """Say that every gene has a p-value."""
    return "The one gene was tested." if n_vars == 1 else f"All {n_vars:,} genes were tested."


def _any_has(ranking: Ranking, status: Status) -> bool:
    return any(status.name.lower() in test.statuses for test in ranking.tests)


def _layers(ranking: Ranking) -> Html:
    """Return what dex has recorded of layers, with their size factors."""
    records = ranking.adata.uns.get(LAYERS_KEY, {})
    rows = [_layer_row(ranking, name, record) for name, record in sorted(records.items())]
    header = ("Layer", "Holds", "Method", "Made from", "Size factors")
    if not rows:
        return Html("")
    return join(
        (element("h3", "Layers"), table(header, rows, caption="Layers whose scale is recorded"))
    )


def _layer_row(ranking: Ranking, name: str, record: dict[str, object]) -> tuple[object, ...]:
    column = str(record.get("size_factors") or "")
    factors = ranking.adata.obs.get(column)
    said = NOTHING
    if factors is not None:
        low, high = np.min(factors), np.max(factors)
        said = f"{record.get('size_factor_method', '')}, {low:.3g} to {high:.3g} (obs[{column!r}])"
    holds = scale_words(record.get("scale"))
    return (name, holds, record.get("method", NOTHING), record.get("source", NOTHING), said)
