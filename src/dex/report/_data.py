"""Who was observed, and what was asked of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from dex.data import Source
from dex.data.scale import LAYERS_KEY
from dex.data.source import counts_layer
from dex.design.wording import plural
from dex.errors import InputError
from dex.report._filtering import FACTOR_COLUMNS
from dex.report._html import NOTHING, Html, bullets, element, join, table
from dex.report._ranking import is_grouping
from dex.results.schema import SIZE_FACTORS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from anndata import AnnData

    from dex.report._ranking import Ranking
    from dex.typing import Float

_MOST_SAMPLES = 200
_MOST_COLUMNS = 12
_MOST_COEFFICIENTS = 60


def data_and_design(rankings: Sequence[Ranking]) -> Html:
    """Return the observations, then the design of every result."""
    adata = rankings[0].adata
    return join(
        (
            element("p", f"{plural(adata.n_obs, 'observation')} x {plural(adata.n_vars, 'gene')}."),
            *(_observations(ranking) for ranking in _different(rankings)),
            *(_design(ranking) for ranking in rankings),
        )
    )


def _different(rankings: Sequence[Ranking]) -> list[Ranking]:
    """Leave out results of observations that were shown already."""
    seen: dict[Any, Ranking] = {}
    for ranking in rankings:
        seen.setdefault((ranking.unit, ranking.is_pseudobulk, len(ranking.obs)), ranking)
    return list(seen.values())


def _observations(ranking: Ranking) -> Html:
    obs, columns = ranking.obs, _grouping_columns(ranking)
    parts: list[Html] = []
    if ranking.is_pseudobulk:
        by = ranking.params["replicate"]
        made = (
            f"The cells were added up into {plural(len(obs), 'sample')} by {by}"
            f"{f' and {ranking.per}' if ranking.per else ''}, which were tested."
        )
        parts.append(element("p", made))
    if columns:
        parts.append(_crosstab(obs, columns, ranking.unit))
    if len(obs) <= _MOST_SAMPLES:
        parts.append(_sample_table(ranking))
    else:
        parts.append(_totals_sentence(ranking))
    return join(parts)


def _grouping_columns(ranking: Ranking) -> list[str]:
    """Columns to count observations by: what is plotted, then the rest of the design."""
    named = dict.fromkeys([*([ranking.groupby] if ranking.groupby else []), *ranking.variables])
    return [name for name in named if is_grouping(ranking.obs[name])]


def _crosstab(obs: pd.DataFrame, columns: list[str], unit: str) -> Html:
    """Count observations by the first column, and by what else is in the design."""
    first, *others = columns
    levels = _words(obs[first])
    if not others:
        counts = levels.value_counts(sort=False)
        rows = [(name, int(n)) for name, n in counts.items() if n]
        return table((first, unit), rows, caption=f"{unit.capitalize()} by {first}")
    across = (
        obs[others].astype(str).agg(" | ".join, axis=1)
        if len(others) > 1
        else _words(obs[others[0]])
    )
    counted = pd.crosstab(across, levels)
    rows = [
        (name, *map(int, row)) for name, row in zip(counted.index, counted.to_numpy(), strict=True)
    ]
    header = (" | ".join(others), *map(str, counted.columns))
    return table(header, rows[:_MOST_SAMPLES], caption=f"{unit.capitalize()} by {first} (columns)")


def _words(values: pd.Series) -> pd.Series:
    """Levels as text in their own order; missing values are a level."""
    named = values.astype("category").cat.remove_unused_categories()
    named = named.cat.rename_categories([str(level) for level in named.cat.categories])
    return (
        named.cat.add_categories("(missing)").fillna("(missing)") if values.isna().any() else named
    )


def _sample_table(ranking: Ranking) -> Html:
    obs, sizes = ranking.obs, library_sizes(ranking)
    first = [name for name in _grouping_columns(ranking) if name in obs]
    made = _made_by_dex(ranking.adata)
    names = [*first, *(name for name in obs.columns if name not in {*first, *made})]
    shown = names[:_MOST_COLUMNS]
    left_out = (
        f" ({plural(len(names) - len(shown), 'column')} more in obs)"
        if len(names) > len(shown)
        else ""
    )
    header = ["", *shown]
    columns = [[_plain(value) for value in obs[name]] for name in shown]
    if sizes is not None:
        header.append("library size")
        columns.append([round(float(size)) for size in sizes])
    divisors = f"{ranking.key}_{SIZE_FACTORS}"
    if divisors in obs:
        header.append("size factor")
        columns.append([_plain(value) for value in obs[divisors]])
    rows = list(zip(map(str, obs.index), *columns, strict=True))
    inner = table(header, rows, caption=f"{ranking.unit.capitalize()}{left_out}")
    return element(
        "details",
        element("summary", f"The {plural(len(rows), ranking.unit.removesuffix('s'))}"),
        inner,
        open=len(rows) <= 24,
    )


def _made_by_dex(adata: AnnData) -> set[str]:
    """Columns of ``obs`` that go with a layer or with a result."""
    records = adata.uns.get(LAYERS_KEY, {}).values()
    of_layers = {str(record.get(what)) for record in records for what in FACTOR_COLUMNS}
    return of_layers | {f"{key}_{SIZE_FACTORS}" for key in adata.uns}


def _plain(value: Any) -> Any:
    if value is None or value is pd.NA or value is pd.NaT or value != value:  # noqa: PLR0124 - NaN
        return NOTHING
    if isinstance(value, np.generic):
        value = value.item()
    return str(value) if isinstance(value, bool) or not isinstance(value, int | float) else value


def library_sizes(ranking: Ranking) -> Float | None:
    """Counts of every observation over all genes; None where there are no counts."""
    if ranking.is_pseudobulk:
        return None
    return total_counts(ranking.adata)


def total_counts(adata: AnnData) -> Float | None:
    """Row sums of the counts in ``X`` or in their layer; None where there are none."""
    try:
        source = Source.from_adata(adata)
        if source.scale != "counts":
            layer = counts_layer(adata)
            if layer is None:
                return None
            source = Source.from_adata(adata, layer=layer)
        return np.asarray(source.matrix.sum(axis=1), dtype=np.float64).ravel()
    except (InputError, TypeError, AttributeError, ValueError):
        return None  # backed by a file, or no values


def _totals_sentence(ranking: Ranking) -> Html:
    sizes = library_sizes(ranking)
    if sizes is None:
        return Html("")
    low, middle, high = np.quantile(sizes, [0, 0.5, 1])
    return element(
        "p", f"Library sizes: median {middle:,.0f}, from {low:,.0f} to {high:,.0f} counts."
    )


def _design(ranking: Ranking) -> Html:
    params = ranking.params
    facts: list[object] = []
    if params.get("design"):
        facts.append(join(("Design: ", element("code", params["design"]))))
    if params.get("groupby"):
        facts.append(join(("Compared: ", element("code", params["groupby"]))))
    if params.get("reference"):
        facts.append(join(("Reference: ", element("code", params["reference"]))))
    unit = f"One row of the matrix tested is one {'cell' if ranking.unit == 'cells' else 'sample'}"
    facts.append(unit + (", a sum of cells" if ranking.is_pseudobulk else "") + ".")
    blocks = "Strata" if params.get("weights") else "Pairs"
    for name, words in (
        ("replicate", "Independent unit"),
        ("per", "Analysed apart"),
        ("block", blocks),
    ):
        if params.get(name):
            facts.append(join((f"{words}: ", element("code", params[name]))))
    df = {test.df for test in ranking.tests if np.isfinite(test.df)}
    if len(df) == 1:
        facts.append(f"Degrees of freedom: {df.pop():g}.")
    title = element("h3", "Design of ", element("code", ranking.key))
    return join((title, bullets(facts), _contrasts(ranking)))


def _contrasts(ranking: Ranking) -> Html:
    """Return every contrast of a model in words: coefficients with their weights."""
    vectors, names = ranking.params.get("contrasts"), ranking.params.get("design_columns")
    if vectors is None or names is None:
        return Html("")
    vectors, coefficients = np.atleast_2d(vectors), [str(name) for name in names]
    shown = element(
        "p",
        "Coefficients: ",
        join((element("code", name) for name in coefficients[:_MOST_COEFFICIENTS]), ", "),
        ".",
    )
    tests = ranking.stored.names if len(vectors) == len(ranking.stored.names) else None
    chosen = range(len(vectors)) if tests is None else [test.position for test in ranking.tests]
    rows = [
        (tests[i] if tests else str(i + 1), element("code", in_words(vectors[i], coefficients)))
        for i in chosen
    ]
    return join((shown, table(("Test", "Contrast of the coefficients"), rows, caption="Contrasts")))


def in_words(weights: Float, names: Sequence[str]) -> str:
    """Write a contrast as a sum.

    >>> in_words([0, 1, -0.5], ["Intercept", "a", "b"])
    'a \N{MINUS SIGN} 0.5·b'
    """
    terms = [(float(weight), name) for weight, name in zip(weights, names, strict=True) if weight]
    words = ""
    for weight, name in terms:
        size = "" if abs(weight) == 1 else f"{abs(weight):.3g}·"
        sign = (
            ("\N{MINUS SIGN}" if weight < 0 else "")
            if not words
            else (" \N{MINUS SIGN} " if weight < 0 else " + ")
        )
        words += f"{sign}{size}{name}"
    return words or "0"
