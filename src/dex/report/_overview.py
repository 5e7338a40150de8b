"""The observations on a map: principal components and distances."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from anndata import AnnData

from dex import pl, tl
from dex._logging import logger
from dex.data.scale import LAYERS_KEY
from dex.data.source import layer_names, obs_of, var_of
from dex.errors import InputError
from dex.get._ordination import Ordination, OrdinationKeys
from dex.get._tested import Tested
from dex.report._figures import figure_html
from dex.report._html import Html, element, join

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dex.report._ranking import Ranking

_MOST_TO_COMPARE = 2000
_MOST_SHAPES = 8
_MOST_DRAWN = 100
"""Observations whose distances are drawn: of more, nobody can read a name."""


@dataclass(frozen=True, slots=True)
class Overview:
    """The observations that a result was made of, mapped."""

    adata: AnnData
    """A copy that shares the matrix; the user's has nothing added to it."""
    unit: str
    groupby: str | None
    components: Ordination | None
    made_here: bool = False
    """Whether the components were found for this report."""
    problem: str = ""
    """Why there are no components."""
    per: str | None = None
    """Column of strata that were analysed apart."""
    tested: Mapping[str, Any] = field(default_factory=dict)
    """Options of the tools that make maps of the values that were tested."""

    @classmethod
    def from_ranking(cls, ranking: Ranking) -> Overview:
        """Take the components that are there, or find them."""
        try:
            mapped = _samples(ranking) if ranking.is_pseudobulk else _shared_copy(ranking.adata)
            tested = {} if ranking.is_pseudobulk else _what_was_tested(ranking)
            missing = OrdinationKeys.pca("pca").coordinates not in mapped.obsm
            if missing:
                _quietly(tl.pca, mapped, tested)
            components = Ordination.pca(mapped, "pca")
        except InputError as error:
            return cls(ranking.adata, ranking.unit, ranking.groupby, None, problem=str(error))
        return cls(
            mapped,
            ranking.unit,
            ranking.groupby,
            components,
            made_here=missing,
            per=ranking.per,
            tested=tested,
        )


def overview_html(overview: Overview) -> Html:
    """Return both figures, or why they are not there."""
    if overview.components is None:
        return element("p", f"No principal components: {overview.problem}")
    figures = [_pca_figure(overview)]
    n_obs = overview.adata.n_obs
    if overview.unit == "samples" and n_obs <= _MOST_DRAWN:
        figures.append(_distances_figure(overview))
    return join((element("p", _sentence(overview)), element("div", *figures, class_="figures")))


def _pca_figure(overview: Overview) -> Html:
    colour, shape = _colour_and_shape(overview)
    return figure_html(
        lambda: pl.pca(overview.adata, colour, shape=shape, return_fig=True),
        alt=f"{overview.unit.capitalize()} by the first two principal components",
        caption=_caption(overview),
    )


def _colour_and_shape(overview: Overview) -> tuple[str | None, str | None]:
    """Colours tell strata where there are some, which are farther apart than the groups."""
    if overview.per is None:
        return overview.groupby, None
    groups = overview.adata.obs.get(overview.groupby)
    few = groups is not None and groups.nunique() <= _MOST_SHAPES
    return overview.per, overview.groupby if few else None


def _distances_figure(overview: Overview) -> Html:
    try:
        if OrdinationKeys.mds("mds").distances not in overview.adata.obsp:
            _quietly(tl.mds, overview.adata, overview.tested)
        params = Ordination.mds(overview.adata, "mds").params
    except InputError as error:
        return element("p", f"Distances between samples: not drawn, as {error}", class_="small")
    which = {"common": "of the {} most variable genes"}
    genes = which.get(str(params.get("gene_selection")), "of their {} largest log2 fold changes")
    return figure_html(
        lambda: pl.sample_distances(overview.adata, return_fig=True),
        alt="Distances between samples",
        caption=(
            "Distances between samples: root mean square "
            f"{genes.format(params.get('n_top_genes', 'leading'))}."
        ),
    )


def _sentence(overview: Overview) -> str:
    components = overview.components
    ratio = None if components is None else components.variance_ratio
    if ratio is None or len(ratio) < 2:
        return f"{overview.unit.capitalize()} that are alike lie close to each other."
    return (
        f"The first component has {ratio[0]:.0%} of the variance, the second {ratio[1]:.0%}. "
        f"{overview.unit.capitalize()} that are alike lie close to each other; one far from its "
        "group needs a look."
    )


def _caption(overview: Overview) -> str:
    if overview.made_here and overview.components is not None:
        n_genes = overview.components.params.get("n_genes", 500)
        return f"Principal components of the logs of the {n_genes} most variable genes."
    return "Principal components as they are in obsm['X_pca']."


def _shared_copy(adata: AnnData) -> AnnData:
    """Copy everything but the matrices, so that a map can be written beside them."""
    if adata.isbacked:
        msg = "the data are in a file; run dex.tl.pca(adata) before the report."
        raise InputError(msg)
    obs, var = obs_of(adata).copy(), var_of(adata).copy()
    copy = AnnData(adata.X, obs=obs, var=var, uns=dict(adata.uns))
    for name in layer_names(adata):
        copy.layers[name] = adata.layers[name]
    for name in adata.obsm:
        copy.obsm[name] = adata.obsm[name]
    for name in adata.obsp:
        copy.obsp[name] = adata.obsp[name]
    return copy


def _samples(ranking: Ranking) -> AnnData:
    """Return the samples that cells were added up into, with the values that were tested."""
    tested = Tested.by(ranking.stored)
    expression = tested.expression(np.arange(ranking.adata.n_vars))
    var = pd.DataFrame(index=ranking.adata.var_names)
    samples = AnnData(expression.values(), obs=tested.obs.copy(), var=var)
    samples.uns[LAYERS_KEY] = {"X": {"scale": str(expression.scale)}}
    return samples


def _what_was_tested(ranking: Ranking) -> dict[str, Any]:
    params = ranking.params
    return {
        "layer": params.get("layer"),
        "scale": params.get("source_scale"),
        "size_factors": params.get("size_factors", "auto"),
    }


def _quietly(function: object, adata: AnnData, options: Mapping[str, Any]) -> None:
    """Run a tool on a copy, whose messages are of no use to anybody."""
    level = logger.level
    logger.setLevel("ERROR")
    try:
        function(adata, **options)  # type: ignore[operator]
    finally:
        logger.setLevel(level)
