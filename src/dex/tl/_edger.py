"""edgeR's quasi-likelihood pipeline, version 4 [Chen2025]_: a model of counts for few replicates.

.. [Chen2025] Chen Y, Chen L, Lun ATL, Baldoni PL, Smyth GK (2025). edgeR v4: powerful differential
   analysis of sequencing data with expanded functionality and improved support for small counts and
   larger datasets. Nucleic Acids Research 53, gkaf018.
.. [Lund2012] Lund SP, Nettleton D, McCarthy DJ, Smyth GK (2012). Detecting differential expression
   in RNA-sequence data using quasi-likelihood with shrunken dispersion estimates. Statistical
   Applications in Genetics and Molecular Biology 11, Article 8.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dex.design.wording import plural
from dex.errors import InputError
from dex.results.fit import Fit
from dex.stats.abundance import DISPERSION, with_prior_count
from dex.stats.adjusted_deviance import abundant_genes, typical_quasi_dispersion
from dex.stats.common_dispersion import evenly_spaced, fit_common_dispersion
from dex.stats.design_rows import DesignRows
from dex.stats.ebayes import squeeze_var
from dex.stats.nb_glm import fit_nb_glm
from dex.stats.quasi import fit_quasi
from dex.stats.unit_deviance import UnitDeviances
from dex.tl._counted import Counted
from dex.tl._dispersions import trended_dispersions
from dex.tl._options import require_choice

if TYPE_CHECKING:
    from dex.data.expression import Columns, Expression
    from dex.design.matrix import Design
    from dex.tl._model import FitSetting
    from dex.typing import Float

_LN2 = float(np.log(2))
_ROUNDS = 2
"""Times that the typical quasi-dispersion is estimated: fits depend on it, but hardly."""

_AT_MOST = 10_000  # genes for a dispersion


@dataclass(frozen=True, slots=True)
class QuasiOptions:
    """Options of the quasi-likelihood fit."""

    robust: bool = False
    """Whether genes whose quasi-dispersion is an outlier are squeezed less."""
    abundance_trend: bool = True
    """Whether the prior of the quasi-dispersions follows a trend over abundance."""
    dispersion: float | None = None
    """Negative binomial dispersion of all genes; by default that of the abundant ones."""
    prior_count: float = 0.125
    """Added to counts, on average, for the log2 fold changes that are reported."""
    observation_weights: str | None = None
    """Layer with positive weights of the counts: a count is the mean of so many."""
    legacy: bool = False
    """Whether it is done as before edgeR 4: trended dispersions, deviances as they are."""

    def __post_init__(self) -> None:
        """Refuse what there is not."""
        require_choice("robust", self.robust, (False, True))
        require_choice("legacy", self.legacy, (False, True))
        require_choice("abundance_trend", self.abundance_trend, (False, True))
        require_not_negative("dispersion", self.dispersion)
        require_not_negative("prior_count", self.prior_count)


def require_not_negative(name: str, value: float | None) -> None:
    """Refuse a number below 0, or what is none.

    Raises
    ------
    InputError
        If it is.
    """
    if value is not None and not (isinstance(value, int | float) and 0 <= value < np.inf):
        msg = f"{name}={value!r} is not a number of 0 or more."
        raise InputError(msg)


def fit_quasi_likelihood(expression: Expression, design: Design, setting: FitSetting) -> Fit:
    """Fit the design with one dispersion for all genes and a quasi-dispersion for each."""
    options: QuasiOptions = setting.options
    counted, rows = Counted(expression, setting.n_threads), DesignRows.from_design(design.matrix)
    if options.legacy:
        return _fit_legacy(counted, rows, design, options)
    genes = counted.abundances(DISPERSION)
    dispersion = options.dispersion
    if dispersion is None:
        dispersion = _dispersion_of_abundant(counted, rows, genes["abundance"])
    typical, fitted = _fit_quasi(counted, rows, dispersion, genes["abundance"])
    start = fitted.pop("coef")
    coef = shrunken_coef(counted, rows, dispersion / typical, options.prior_count, start=start)
    genes |= fitted | {"dispersion": np.full(len(coef), dispersion)}
    genes |= _squeezed(genes, options)
    shared = {"dispersion": float(dispersion), "typical_quasi_dispersion": typical}
    return Fit(design.matrix, coef, genes, shared=shared, notes=convergence_notes(genes))


def shrunken_coef(
    counted: Counted,
    rows: DesignRows,
    dispersion: Float | float,
    prior_count: float,
    *,
    start: Float | None = None,
) -> Float:
    """Coefficients in log2, ``(n_vars, n_coefs)``, of counts with a prior count.

    ``start`` are those without, in natural logs.
    """
    spread = np.broadcast_to(dispersion, (len(counted.expression.blocks.genes),))

    def columns(counts: Float, place: slice) -> Columns:
        raised, depths = with_prior_count(counts, counted.depths(place), prior_count)
        near, weights = None if start is None else start[place], counted.weights(place)
        fit = fit_nb_glm(raised, rows, depths, spread[place], weights=weights, start=near)
        return {"coef": fit.coef / _LN2}

    return counted.map(columns, "fold changes")["coef"]


def _dispersion_of_abundant(counted: Counted, rows: DesignRows, abundance: Float) -> float:
    """Common dispersion of the abundant genes, which quasi-dispersions say nothing of."""
    df_residual = len(counted.libraries) - rows.n_coefs
    if df_residual == 0:
        return DISPERSION  # for fold changes alone
    top = abundant_genes(abundance, df_residual)
    top = np.sort(top[evenly_spaced(abundance[top], _AT_MOST)])
    found = fit_common_dispersion(
        counted.of_genes(top), rows, counted.depths(top), weights=counted.weights(top)
    )
    return found if np.isfinite(found) else 0.0


def _fit_quasi(
    counted: Counted, rows: DesignRows, dispersion: float, abundance: Float
) -> tuple[float, Columns]:
    """The typical quasi-dispersion, and the fit with the dispersion that it leaves."""
    table = UnitDeviances.between(dispersion, dispersion)

    def fitted(typical: float, start: Float | None) -> Columns:
        def columns(counts: Float, place: slice) -> Columns:
            fit = fit_quasi(
                counts,
                rows,
                counted.depths(place),
                dispersion,
                quasi_dispersion=typical,
                weights=counted.weights(place),
                table=table,
                start=None if start is None else start[place],
            )
            return {
                "coef": fit.coef,
                "deviance": fit.deviance,
                "quasi_dispersion": fit.adjusted.quasi_dispersion,
                "df_residual": fit.adjusted.df,
                "converged": fit.converged,
            }

        return counted.map(columns, "quasi-likelihood")

    typical, found = 1.0, fitted(1.0, None)
    for _ in range(_ROUNDS):
        again = typical_quasi_dispersion(found["quasi_dispersion"], abundance)
        if again == typical:
            break
        typical, found = again, fitted(again, found["coef"])
    return typical, found


def _fit_legacy(counted: Counted, rows: DesignRows, design: Design, options: QuasiOptions) -> Fit:
    """Quasi-dispersions about trended dispersions, as they were before edgeR 4 [Lund2012]_."""
    trended = trended_dispersions(counted, rows)
    genes, trend = trended.genes, trended.genes["dispersion_trend"]

    def columns(counts: Float, place: slice) -> Columns:
        depths, weights = counted.depths(place), counted.weights(place)
        fit = fit_quasi(counts, rows, depths, trend[place], weights=weights, adjust=False)
        none = np.zeros_like(fit.deviance)
        own = np.divide(fit.deviance, fit.df_residual, out=none, where=fit.df_residual > 0)
        return {
            "deviance": fit.deviance,
            "quasi_dispersion": own,
            "df_residual": fit.df_residual,
            "converged": fit.converged,
        }

    genes |= counted.map(columns, "quasi-likelihood") | {"dispersion": trend}
    genes |= _squeezed(genes, options)
    coef = shrunken_coef(counted, rows, trend, options.prior_count)
    shared = {"dispersion": trended.common, "typical_quasi_dispersion": 1.0, "legacy": True}
    return Fit(design.matrix, coef, genes, shared=shared, notes=convergence_notes(genes))


def _squeezed(genes: Columns, options: QuasiOptions) -> Columns:
    """Quasi-dispersions squeezed towards their trend, and the trend."""
    own = genes["quasi_dispersion"]
    squeezed = squeeze_var(
        own,
        genes["df_residual"],
        covariate=genes["abundance"] if options.abundance_trend else None,
        robust=options.robust,
        method="moments" if options.legacy else "auto",
    )
    return {
        "quasi_dispersion_trend": np.broadcast_to(squeezed.prior.var, own.shape).copy(),
        "quasi_dispersion_post": squeezed.var,
        "df_prior": np.broadcast_to(squeezed.prior.df, own.shape).copy(),
    }


def convergence_notes(genes: Columns) -> tuple[str, ...]:
    lost = int((~genes["converged"]).sum())
    return (f"{plural(lost, 'gene')}: the fit did not converge.",) if lost else ()
