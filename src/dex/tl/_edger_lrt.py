"""edgeR with dispersions of the genes' own, for likelihood ratio tests [McCarthy2012]_.

.. [McCarthy2012] McCarthy DJ, Chen Y, Smyth GK (2012). Differential expression analysis of
   multifactor RNA-Seq experiments with respect to biological variation. Nucleic Acids Research 40,
   4288-4297.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dex.results.fit import Fit
from dex.stats.abundance import DISPERSION
from dex.stats.design_rows import DesignRows
from dex.stats.nb_glm import fit_nb_glm
from dex.stats.nested import nb_deviance
from dex.tl._counted import Counted
from dex.tl._dispersions import tagwise_dispersions, trended_dispersions
from dex.tl._edger import convergence_notes, require_not_negative, shrunken_coef
from dex.tl._options import require_choice

if TYPE_CHECKING:
    from dex.data.expression import Columns, Expression
    from dex.design.matrix import Design
    from dex.tl._model import FitSetting
    from dex.typing import Float


@dataclass(frozen=True, slots=True)
class TagwiseOptions:
    """Options of the fit with dispersions of the genes' own."""

    robust: bool = False
    """Whether genes whose dispersion is an outlier are squeezed less."""
    dispersion: float | None = None
    """Negative binomial dispersion of all genes; by default each gene's is estimated."""
    prior_count: float = 0.125
    """Added to counts, on average, for the log2 fold changes that are reported."""
    observation_weights: str | None = None
    """Layer with positive weights of the counts: a count is the mean of so many."""

    def __post_init__(self) -> None:
        """Refuse what there is not."""
        require_choice("robust", self.robust, (False, True))
        require_not_negative("dispersion", self.dispersion)
        require_not_negative("prior_count", self.prior_count)


def fit_tagwise(expression: Expression, design: Design, setting: FitSetting) -> Fit:
    """Estimate the dispersions, unless they are given, and fit the design with them."""
    options: TagwiseOptions = setting.options
    counted, rows = Counted(expression, setting.n_threads), DesignRows.from_design(design.matrix)
    known = options.dispersion
    if known is None and len(counted.libraries) == rows.n_coefs:
        known = DISPERSION  # for fold changes alone
    if known is None:
        trended = trended_dispersions(counted, rows)
        genes, common = trended.genes, trended.common
        genes |= tagwise_dispersions(counted, rows, trended, robust=options.robust)
    else:
        genes, common = counted.abundances(DISPERSION), float(known)
        genes["dispersion"] = np.full(len(genes["abundance"]), common)
    spread = genes["dispersion"]

    def columns(counts: Float, place: slice) -> Columns:
        depths, weights = counted.depths(place), counted.weights(place)
        fit = fit_nb_glm(counts, rows, depths, spread[place], weights=weights)
        deviance = nb_deviance(counts, rows, depths, spread[place], fit.coef, weights=weights)
        return {"deviance": deviance, "converged": fit.converged}

    genes |= counted.map(columns, "negative binomial fits")
    coef = shrunken_coef(counted, rows, spread, options.prior_count)
    shared = {"dispersion": common, "prior_count": options.prior_count}
    return Fit(design.matrix, coef, genes, shared=shared, notes=convergence_notes(genes))
