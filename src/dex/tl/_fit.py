"""Fit a design once; its contrasts are tested as often as wanted, also from a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dex._logging import logger
from dex.data import Source
from dex.data.source import has_counts, obs_of
from dex.data.sums import row_totals
from dex.design.matrix import Design
from dex.design.wording import listed
from dex.errors import InputError
from dex.results.actual import check_writable
from dex.results.fit_store import FittedModel, check_fit_free, store_fit
from dex.tl._auto import plan
from dex.tl._genes import genes_tested
from dex.tl._measure import measure
from dex.tl._method_options import with_method_options
from dex.tl._options import Options
from dex.tl._recorded import fit_params, measured_params
from dex.tl._run_model import run_fit
from dex.tl._samples import Measured
from dex.tl.methods import METHODS, ModelMethod

if TYPE_CHECKING:
    from typing import Literal

    import pandas as pd
    from anndata import AnnData
    from numpy.typing import ArrayLike

    from dex.tl._auto import Plan


def fit(
    adata: AnnData,
    design: str | pd.DataFrame | ArrayLike,
    *,
    method: str = "auto",
    block: str | None = None,
    layer: str | None = None,
    scale: str | None = None,
    unit: Literal["cells", "samples"] | None = None,
    size_factors: str = "auto",
    lengths: str | None = None,
    control_genes: str | None = None,
    mask_var: str | ArrayLike | None = None,
    key_added: str = "fit",
    n_threads: int | None = None,
    **method_options: Any,
) -> None:
    """Fit a design to every gene, to be tested by :func:`dex.tl.contrast`.

    :func:`dex.tl.rank_genes` fits and tests in one call. Fitting by itself pays where many
    contrasts are asked of one design, now or from its h5ad next week.

    Parameters
    ----------
    adata
        Samples x genes: counts or logs in ``X`` or in a layer. Counts of cells are added up by
        sample before they are fitted.
    design
        Formula over columns of ``obs``, as ``"~ batch + condition"``, or a matrix (a DataFrame or
        an array with a row per observation).
    method
        A method that fits a design (``dex.tl.rank_genes`` lists them), or ``"auto"``.
    block
        Column of ``obs`` whose levels hold repeated measures, for methods that know of them.
    layer, scale, unit, size_factors, lengths, control_genes, mask_var
        What is measured, as in :func:`dex.tl.rank_genes`.
    key_added
        Where the fit goes; an earlier fit there is replaced.
    n_threads
        Threads; by default the cores that the process may use.
    **method_options
        What the method takes for its fit, as in :func:`dex.tl.rank_genes`.

    Returns
    -------
    None. Writes, with ``key`` for ``key_added``:

    ``adata.varm[f"{key}_coef"]``
        Coefficients, ``(n_vars, n_coefs)``, in log2; NaN in genes that were not fitted.
    ``adata.varm[f"{key}_cov"]``
        Their covariances where each gene has its own: upper triangles by rows.
    ``adata.var[f"{key}_{column}"]``
        What the method has of a gene: ``base_mean``, ``var``, ``df_residual``, ...
    ``adata.obsm[f"{key}_design"]``
        The design matrix; NaN in observations that were left out.
    ``adata.uns[key]``
        The rest: formula (for display), parameters, what all genes share, versions.

    Raises
    ------
    dex.errors.InputError
        If a column, layer, option or value cannot be used as asked. ``adata`` is then unchanged.

    Examples
    --------
    >>> import dex
    >>> adata = dex.datasets.simulate_counts(n_genes=100, n_per_group=4, seed=0)
    >>> dex.tl.fit(adata, "~ condition", method="ols")
    >>> dex.tl.contrast(adata, ("condition", "treated", "control"))
    >>> dex.get.tests_df(adata)["name"].item()
    'treated vs control'
    """
    options = Options(
        lfc=0.0,
        block=block,
        padj_method="fdr_bh",
        padj_scope="test",
        key_added=key_added,
        n_threads=n_threads,
        size_factors=size_factors,
        lengths=lengths,
        control_genes=control_genes,
        alternative="two-sided",
        continuity=False,
        weights="optimal",
    )
    check_writable(adata)
    check_fit_free(adata, key_added)
    obs = obs_of(adata)
    source = Source.from_adata(adata, layer=layer, scale=scale, unit=unit)
    chosen = plan(
        source,
        obs,
        method=method,
        compared=(),
        design=design,
        replicate=None,
        counts=has_counts(adata, source),
    )
    model = _model_of(chosen)
    if block is not None and model.block != "repeats":
        takers = [name for name, other in METHODS.items() if other.block == "repeats"]
        msg = f"block={block!r}: {model.name!r} knows no repeated measures; {listed(takers)} do."
        raise InputError(msg)
    options = with_method_options(options, model, method_options, steps=("fit",))
    genes = genes_tested(adata, mask_var)
    built = Design.from_obs(obs, design)  # type: ignore[arg-type]  # what it is not, it says
    measured = Measured(source, obs, genes)
    expression = measure(adata, measured, model, built.kept, options)
    fitted = run_fit(model, expression, built, obs, options)
    notes = (*chosen.notes, *built.notes, *expression.notes)
    for note in (*notes, *fitted.notes):
        logger.info(note)
    totals = row_totals(expression.source, n_threads=n_threads)
    params = fit_params(model, built, options) | measured_params(expression)
    store_fit(adata, FittedModel(fitted, genes, built, params, notes, totals), key=key_added)


def _model_of(chosen: Plan) -> ModelMethod:
    if isinstance(chosen.method, ModelMethod):
        return chosen.method
    models = [repr(name) for name, method in METHODS.items() if method.model]
    msg = f"method={chosen.method.name!r} fits no design; {', '.join(models)} do."
    raise InputError(msg)
