"""The one door: from an AnnData and a question to ranked genes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from dex._logging import logger
from dex.data import Source
from dex.data.source import has_counts, obs_of, read_labels
from dex.results.actual import check_writable
from dex.results.store import check_free, check_stats, listed_stats, store
from dex.tl._analysis import analyse
from dex.tl._auto import plan
from dex.tl._double_dipping import dipped_warning
from dex.tl._genes import genes_tested
from dex.tl._method_options import with_method_options
from dex.tl._options import Options
from dex.tl._per import analyse_per
from dex.tl._question import Question

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from anndata import AnnData
    from numpy.typing import ArrayLike

    from dex.stats.stratified_ranks import Weights
    from dex.tl._double_dipping import DoubleDipping
    from dex.typing import Alternative


def rank_genes(
    adata: AnnData,
    groupby: str | None = None,
    *,
    design: str | pd.DataFrame | ArrayLike | None = None,
    contrasts: Any = None,
    reference: str | None = None,
    groups: Sequence[str] | None = None,
    exclude: Sequence[str] = (),
    method: str = "auto",
    test: Literal["each", "any"] = "each",
    reduced: str | None = None,
    replicate: str | None = "auto",
    per: str | None = None,
    min_cells: int | None = None,
    double_dipping: DoubleDipping = "warn",
    block: str | None = None,
    layer: str | None = None,
    scale: str | None = None,
    unit: Literal["cells", "samples"] | None = None,
    size_factors: str = "auto",
    lengths: str | None = None,
    control_genes: str | None = None,
    mask_var: str | ArrayLike | None = None,
    lfc: float = 0.0,
    alternative: Alternative = "two-sided",
    continuity: bool = False,
    weights: Weights = "optimal",
    padj_method: str = "fdr_bh",
    padj_scope: Literal["test", "global"] = "test",
    stats: Sequence[str] | None = None,
    key_added: str = "rank_genes",
    n_threads: int | None = None,
    max_memory: float | str | None = None,
    **method_options: Any,
) -> None:
    """Rank genes by how sure it is that they differ between groups, or along a covariate.

    Parameters
    ----------
    adata
        Observations (samples or cells) x genes: counts or logs in ``X`` or in a layer. It may be
        backed by a file, or lazily read (``anndata.experimental.read_lazy``): dask's workers then
        test, here or on a cluster.
    groupby
        Column of ``adata.obs`` whose levels are compared. Two levels make one test. More are each
        tested against the rest (rank and t tests) or against the unweighted mean of the others
        (models), unless ``reference`` is given.
    design
        Formula over columns of ``obs``, as ``"~ batch + condition"``, or a matrix (a DataFrame or
        an array with a row per observation). With ``groupby``, that factor is tested, adjusted for
        the rest; alone, its last coefficient is.
    contrasts
        What to test in the design: ``(column, group, reference)``; an expression over levels or
        coefficients, ``"treated - control"``; a vector over the coefficients; a list of these, or
        a dict ``{name: one of these}``.
    reference
        Level that the others are compared with, or ``"rest"``. By default the first category of an
        ordered categorical, else a level whose name means control, else the first.
    groups
        Only these levels of ``groupby`` are tested; the others stay in the rest.
    exclude
        Levels of ``groupby`` that are neither tested nor in the rest, as the subtypes of a type, or
        the controls of a screen: each perturbation is then tested against all other perturbed
        cells.
    method
        ``"t-test"`` (Welch's), ``"t-test-student"``, ``"t-test-paired"`` (needs ``block``),
        ``"wilcoxon"``, ``"ols"``, ``"limma"``, ``"limma_voom"``, ``"mixed"`` (needs ``block``),
        ``"edger"``, ``"edger_lrt"``, ``"edger_exact"`` (two groups), ``"deseq2"``,
        ``"deseq2_quasi"``, or ``"auto"``: for
        samples, ``edger`` where there are counts, ``limma`` on logs; for cells, samples made of
        them where the replicates are known, else ``wilcoxon``.
    test
        ``"each"`` group or contrast, or ``"any"``: one omnibus test (F, Kruskal-Wallis) of them
        together.
    reduced
        A formula with some terms of ``design``: all others are tested together, as by
        ``test="any"`` of their coefficients. The F or likelihood ratio test of two designs.
    replicate
        Column of ``obs`` that names the independent unit (donor, animal): the counts of its cells
        are added up, and samples are tested. ``"auto"`` takes the one column that obviously does
        so if the method is ``"auto"`` too, and warns otherwise; None never does.
    per
        Column of ``obs`` whose levels are analysed apart, as cell types: each has samples, genes
        with counts enough, size factors, a fit and tests of its own, all under one key. A level
        that cannot be tested, for too few samples, has a status and stops nothing. See Notes.
    min_cells
        Samples that cells are added up into are left out if they have fewer cells; by default 10,
        or 1 where a row of ``X`` is a sample already.
    double_dipping
        ``"warn"`` says so if the groups are clusters of the values tested: labels by
        :func:`dex.tl.cluster`, or by scanpy's ``leiden`` or ``louvain``. ``"allow"`` does not.
    block
        Column of ``obs``, a nuisance (batch, pool, replicate of a screen). ``"wilcoxon"`` compares
        observations within its levels only (van Elteren's test); a level with one side of a test
        takes no part in it. For ``"t-test-paired"`` it says which observations are a pair, for
        ``"limma"``, ``"limma_voom"`` and ``"mixed"`` which samples are of one donor or animal. It
        is not ``replicate``: see Notes.
    layer
        Layer to test; by default ``X``. Counts are normalised on the way, cells to the log of 1 +
        counts per median library, samples to log2 counts per million of their effective libraries;
        logs are tested as they are. (To test counts as they are, say ``scale="linear"`` with the
        layer's name.)
    scale
        What the values are, where that is not recorded and they do not show it: ``"counts"``,
        ``"linear"``, ``"ln1p"``, ``"log2p1"``, ``"logcpm"``, ``"log2"`` or ``"zscore"``.
    unit
        What a row of ``X`` is: ``"cells"`` or ``"samples"``. By default cells if there are 100 or
        more and the median expressed gene is more than half zeros.
    size_factors
        What the counts are normalised by: ``"tmm"``, ``"tmmwsp"`` (for many zeros), ``"rle"``
        or ``"upper_quartile"`` as in edgeR, ``"median_ratio"``, ``"poscounts"`` or ``"iterative"``
        as in DESeq2, ``"library"``, or a numeric column of ``obs``. By default TMM for samples,
        which is not misled by a few genes that fill the libraries of one side, and the library
        size for cells, whose counts are too few for it.
    lengths
        Layer with the average transcript length of every gene in every observation, as tximport
        gives it, for models of counts (edgeR's offsets, DESeq2's normalisation factors).
    control_genes
        Boolean column of ``var``: genes that do not change, over which medians of ratios are
        taken.
    mask_var
        Genes to test: a boolean column of ``adata.var``, or a boolean array. The others get the
        status ``filtered``.
    lfc
        Size of log2 fold change that is still part of the null hypothesis (t-tests and models).
    alternative
        ``"two-sided"``, ``"greater"`` (the group is above its reference) or ``"less"``.
    continuity
        Correct asymptotic p-values of ``"wilcoxon"`` for continuity, by half a rank, as scipy's
        ``use_continuity`` does. ``stat`` is never corrected.
    weights
        Of the strata of ``"wilcoxon"`` with ``block``: ``"optimal"``, 1 / (N + 1), best where all
        strata are shifted alike; or ``"design-free"``, 1 / (m n), which counts every stratum the
        same however many observations it has.
    padj_method
        Any of statsmodels' ``multipletests``: ``"fdr_bh"`` is Benjamini & Hochberg.
    padj_scope
        Adjust over the genes of each ``"test"``, or ``"global"``, over all tests together.
    stats
        Columns to keep, as ``["auc", "pct_group"]``, of all that the method gives, which take a
        number for each gene and test. ``log2fc``, ``stat``, ``log10_pval`` and ``log10_padj`` are
        always kept; by default the others are too, up to 1e8 genes x tests. ``"wilcoxon"`` gives
        ``cohens_d`` if it is asked for here.
    key_added
        Where the result goes; an earlier result there is replaced.
    n_threads
        Threads; by default the cores that the process may use.
    max_memory
        What may be taken, beside the matrix and the results, for genes that are read and tested at
        a time: ``"2GB"``, or a number of bytes. By default about a gigabyte. Files are read in
        fewer sweeps if it is more.
    **method_options
        What only some methods take:

        ``"ols"``
            ``vcov``: covariance of the coefficients, ``"classical"``, or ``"HC3"``, which holds if
            variances differ between observations; both with t on the residual degrees of freedom.
        ``"limma"``, ``"limma_voom"``
            ``trend``: whether the prior variance follows mean expression (by default of logs, not
            with voom's weights); ``robust``: whether outlying variances are kept out of the prior
            and squeezed less; ``sample_weights``: True to estimate quality weights, or a column of
            ``obs``; ``proportion`` of changed genes, for ``lods``; ``conf_level``. voom's ``span``:
            share of the genes that are neighbours in the trend, or ``"adaptive"``. ``"limma"``
            alone: ``observation_weights``, a layer with inverse variances of the values.
        ``"mixed"``
            ``voom``: whether counts have voom's precision weights (with ``span``);
            ``observation_weights``, as for limma, above 0; ``conf_level``.
        ``"edger"``, ``"edger_lrt"``, ``"edger_exact"``
            ``robust``, as above, of (quasi-)dispersions; ``dispersion``: given, not estimated;
            ``prior_count``: added for the fold changes reported. ``"edger"`` alone:
            ``abundance_trend`` of the prior; ``legacy``: as before edgeR 4. The exact test takes
            designs of one factor only; the others ``observation_weights``, a layer that says of
            how many each count is the mean.
        ``"deseq2"``
            ``fit_type``: trend of the dispersions, ``"parametric"``, ``"local"`` or ``"mean"``;
            ``prior_var`` around it; ``refit_outliers``: replicates from which outlying counts are
            replaced (7; None never); ``alpha``: level that independent filtering is for (0.1);
            ``independent_filtering``; ``cooks``: no p-value for genes with outlying counts;
            ``equivalence``: test for effects smaller than ``lfc``; ``use_t``; ``shrink``: also
            ``log2fc_shrunk`` and ``svalue``, by ``"apeglm"``, ``"normal"`` or ``"ash"``.
        ``"deseq2_quasi"``
            ``alpha`` and ``independent_filtering``, as above.

    Returns
    -------
    None. Writes, with ``key`` for ``key_added``:

    ``adata.varm[f"{key}_{column}"]``
        An array ``(n_vars, n_tests)`` for every column of :data:`dex.results.COLUMNS` that the
        method has: ``log2fc``, ``stat``, ``pval``, ``padj``, ``log10_pval``, ``status``, ...
        Of t and rank tests, ``base_mean`` and, with one reference, its columns may be
        read-only views of one: in a screen a fifth less memory.
    ``adata.var[f"{key}_{column}"]``
        The same, if there is one test.
    ``adata.uns[key]``
        The tests, parameters, notes and versions; and, if levels of a categorical column were
        compared, the record arrays that scanpy's ``rank_genes_groups`` plots read.

    :func:`dex.get.rank_genes_df` makes a table of it.

    Raises
    ------
    dex.errors.InputError
        If a column, level, layer, option or value cannot be used as asked; its children
        ``FormulaError`` and ``DesignError`` say the same of formulas, designs and contrasts.
        ``adata`` is then unchanged.

    Notes
    -----
    ``log2fc`` of t and rank tests is ``log2((mean_group + c) / (mean_reference + c))`` of
    normalised linear means, with ``c`` (in ``uns[key]["params"]["pseudocount"]``) of the order of
    one count per typical library. A t-test on logs tests another estimand, the difference of the
    mean logs: ``mean_diff``, in log2, and ``stat = mean_diff / mean_diff_se``. ``log2fc`` of
    models is the tested coefficient in log2.

    ``block`` takes differences between its levels out of a rank test: ``stat``, ``auc`` and p are
    within levels; ``log2fc`` and the means are of all observations with a level, unadjusted.
    It does not make cells independent. With six donors, 200 cells of each in either condition and
    an effect of the condition that varies between donors by 0.1 to 0.2 standard deviations, with
    mean 0, it rejects 16% to 36% of true null hypotheses at 5%. Where donors are the replicates,
    ``replicate`` is the answer.

    With ``per`` the tests are named ``"B cells: stim vs ctrl"``, level by level, and in
    ``dex.get`` and ``dex.pl`` ``per="B cells"`` picks those of one. ``padj`` is adjusted over the
    genes of one level, ``padj_global`` over all levels for the same contrast, as muscat's
    ``p_adj.loc`` and ``p_adj.glb`` [Crowell2020]_. A test means the same in every level: the
    reference is that of all observations together. Fits are not kept; :func:`dex.pp.pseudobulk`
    gives the samples of a level, and :func:`dex.tl.fit` what they show.

    ``method="mixed"`` fits each gene its own variance between blocks, where ``"limma"`` has one
    correlation for all and moderates. p-values are lmerTest's, but of singular fits (``status``
    ``singular``; there are p-values), in which the blocks differ no more than by chance: there
    lmerTest tests effects between donors on about as many degrees of freedom as there are samples,
    and ``dex`` on no more than donors give, within donors on no more than samples within give.

    References
    ----------
    .. [Crowell2020] Crowell HL, Soneson C, Germain PL, et al. (2020). muscat detects
       subpopulation-specific state transitions from multi-sample multi-condition single-cell
       transcriptomics data. Nature Communications 11, 6077.

    Examples
    --------
    >>> import dex
    >>> adata = dex.datasets.simulate_counts(n_genes=100, n_per_group=4, seed=0)
    >>> dex.tl.rank_genes(adata, groupby="condition")
    >>> dex.get.rank_genes_df(adata).columns[:3].tolist()
    ['gene', 'test', 'log2fc']
    >>> dex.tl.rank_genes(adata, groupby="condition", method="wilcoxon", key_added="ranks")
    >>> dex.get.tests_df(adata, key="ranks")["name"].item()
    'treated vs control'
    """
    options = Options(
        lfc=lfc,
        block=block,
        padj_method=padj_method,
        padj_scope=padj_scope,
        key_added=key_added,
        n_threads=n_threads,
        size_factors=size_factors,
        lengths=lengths,
        control_genes=control_genes,
        alternative=alternative,
        continuity=continuity,
        weights=weights,
        min_cells=min_cells,
        stats=listed_stats(stats),
    )
    check_writable(adata)
    read_labels(adata)
    check_free(adata, key_added)
    check_stats(stats)
    question = Question(groupby, design, contrasts, reference, groups, test, exclude, reduced)
    source = Source.from_adata(adata, layer=layer, scale=scale, unit=unit, max_memory=max_memory)
    compared = question.compared(obs_of(adata))
    dipped = dipped_warning(adata, compared, double_dipping, layer=source.layer)
    chosen = plan(
        source,
        obs_of(adata),
        method=method,
        compared=compared,
        design=design,
        replicate=replicate,
        counts=has_counts(adata, source),
    )
    warnings = (*chosen.warnings, *dipped)
    for warning in warnings:
        logger.warning(warning)
    options = with_method_options(options, chosen.method, method_options)
    genes = genes_tested(adata, mask_var)
    how: dict[str, Any] = {"plan": chosen, "genes": genes, "options": options}
    if per is None:
        result = analyse(adata, source, question, **how)
    else:
        result = analyse_per(adata, source, question, per=per, **how)
    for note in result.notes:
        logger.info(note)
    said = replace(result, notes=(*warnings, *result.notes))
    store(adata, said, key=key_added, stats=stats)
