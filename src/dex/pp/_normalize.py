"""Make observations comparable: a new layer, its scale recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from dex._logging import logger
from dex.data.layers import check_layer, write_layer
from dex.data.source import obs_of, var_of
from dex.errors import InputError
from dex.pp._counts import find_source
from dex.pp._lengths import gene_lengths
from dex.pp._making import Options, make_layer, sentence
from dex.pp._methods import OF_LOGS, Recipe, check_method, scales_taken
from dex.pp._stabilise import Stabilising
from dex.results.actual import make_actual

if TYPE_CHECKING:
    from anndata import AnnData
    from numpy.typing import ArrayLike

    from dex.data import Source


def normalize(
    adata: AnnData,
    method: str = "auto",
    *,
    layer: str | None = None,
    scale: str | None = None,
    size_factors: str | None = None,
    lengths: str | ArrayLike | None = None,
    key_added: str | None = None,
    prior_count: float = 2.0,
    max_value: float | None = None,
    design: str | None = None,
    fit_type: Literal["parametric", "local", "mean"] = "parametric",
    n_genes: int | None = None,
    dtype: str = "float64",
    n_threads: int | None = None,
) -> None:
    """Make observations comparable, in a new layer: ``X`` stays as it is.

    ========================  =============================================  ===================
    method                    what the layer holds                           as in
    ========================  =============================================  ===================
    ``"log1p"``               natural log of 1 + counts per median library   scanpy [Wolf2018]_
    ``"log2"``                log2(x + 1) of counts or linear values
    ``"cpm"``                 counts per million                             edgeR's ``cpm``
    ``"rpkm"``                counts per kilobase and million                edgeR's ``rpkm``
    ``"logcpm"``              log2 counts per million, with a prior count    edgeR [Chen2025]_
    ``"tmm"``                 counts per million of effective libraries      edgeR [Robinson2010]_
    ``"median_ratio"``        counts over size factors                       DESeq2 [Love2014]_
    ``"poscounts"``           the same, of the positive counts               DESeq2
    ``"quantile"``            logs, every observation of one distribution    limma [Bolstad2003]_
    ``"cyclic_loess"``        logs, observations moved along smooth curves   limma [Ballman2004]_
    ``"vst"``                 counts of stable variance, log2 of large ones  DESeq2 [Love2014]_
    ``"rlog"``                regularised log2 counts                        DESeq2
    ``"zscore"``              logs of a gene less their mean, over their sd  ``scanpy.pp.scale``
    ``"auto"``                what :func:`dex.tl.rank_genes` tests by itself
    ========================  =============================================  ===================

    ``"auto"`` is ``"log1p"`` for cells, ``"logcpm"`` with TMM's size factors for samples, and
    ``"log2"`` for linear values such as TPM: ``rank_genes`` makes these on the way, so that no
    layer is needed for it. Layers are for plots and for what comes after. Linear values,
    ``"log1p"`` and ``"log2"`` keep a sparse matrix sparse.

    ``"vst"`` and ``"rlog"`` need replicates to learn how variance depends on the mean. They are
    blind to groups unless ``design`` names them: say it where groups differ in many genes.

    Parameters
    ----------
    adata
        Observations (samples or cells) x genes, in memory. Where counts are needed and ``X`` holds
        something else, ``layers["counts"]`` is taken, and that is said.
    method
        See the table. ``"quantile"``, ``"cyclic_loess"`` and ``"zscore"`` take logs, where a
        missing value stays one; of counts they make logs first: what ``"auto"`` makes for
        ``"zscore"``, ``"logcpm"`` for the others.
    layer
        Layer to normalise; by default ``X``.
    scale
        What its values are, where that is not recorded and they do not show it, as in
        :func:`dex.tl.rank_genes`.
    size_factors
        What counts are divided by: ``"library"`` (totals), ``"tmm"``, ``"tmmwsp"``, ``"rle"``,
        ``"upper_quartile"``, ``"median_ratio"``, ``"poscounts"``, ``"iterative"``, or a positive
        column of ``obs``. The default is what the method is named after, else ``"library"``;
        ``"log2"`` divides by nothing. ``"log2"`` with ``"median_ratio"`` is DESeq2's
        ``normTransform``.
    lengths
        Lengths of the genes in bases, for ``"rpkm"``: a column of ``adata.var``, or an array.
    key_added
        Name of the layer; by default the method's (of ``"auto"``, the one it chose). A layer that
        dex has made is replaced, any other is not.
    prior_count
        Average count that ``"logcpm"`` adds to each.
    max_value
        z-scores further from 0 are set to this, on both sides.
    design
        Formula of the groups around whose means ``"vst"`` and ``"rlog"`` estimate dispersions;
        None is blind to all, as DESeq2's ``blind=TRUE``.
    fit_type
        Curve of dispersions over means for these: ``"parametric"`` (where there is none,
        ``"local"``), ``"local"`` or ``"mean"``.
    n_genes
        Number of genes that ``"vst"`` takes the curve from, spread over the means; by default all,
        as DESeq2's ``varianceStabilizingTransformation``. DESeq2's ``vst`` takes 1000.
    dtype
        ``"float64"``, or ``"float32"`` to store it in half the memory.
    n_threads
        Threads; by default the cores that the process may use.

    Returns
    -------
    None. Writes, with ``name`` for the layer's:

    ``adata.layers[name]``
        Dense, CSR or CSC.
    ``adata.obs[f"{name}_size_factors"]``
        What the counts of each observation were divided by, if they were: for the methods per
        million, effective libraries in millions.
    ``adata.obs[f"{name}_norm_factors"]``
        edgeR's normalisation factors, for ``"tmm"``, ``"tmmwsp"``, ``"rle"`` and
        ``"upper_quartile"``.
    ``adata.uns["dex_layers"][name]``
        The layer's scale, method, source, size factors, and the ``pseudocount``: about one count
        per typical library in its linear units.

    Raises
    ------
    dex.errors.InputError
        If the method, layer, column or option cannot be used as asked, if values are negative or
        infinite, if a sample has no counts, if ``adata`` is backed by a file, or if a layer or
        column under that name is not dex's. ``adata`` is then unchanged.

    References
    ----------
    .. [Wolf2018] Wolf, Angerer & Theis (2018), Genome Biology 19:15.
    .. [Chen2025] Chen et al. (2025), Nucleic Acids Research 53:gkaf018.
    .. [Robinson2010] Robinson & Oshlack (2010), Genome Biology 11:R25.
    .. [Love2014] Love, Huber & Anders (2014), Genome Biology 15:550.
    .. [Bolstad2003] Bolstad et al. (2003), Bioinformatics 19:185-193.
    .. [Ballman2004] Ballman et al. (2004), Bioinformatics 20:2778-2786.

    Examples
    --------
    >>> import dex
    >>> adata = dex.datasets.simulate_counts(n_genes=200, seed=0)
    >>> dex.pp.normalize(adata)
    >>> adata.uns["dex_layers"]["logcpm"]["scale"]
    'logcpm'
    >>> dex.pp.normalize(adata, "median_ratio")
    >>> counts = adata.layers["median_ratio"] * adata.obs[["median_ratio_size_factors"]].to_numpy()
    >>> bool(abs(counts - adata.X).max() < 1e-9)
    True
    >>> dex.pp.normalize(adata, "zscore", layer="logcpm", max_value=10)
    """
    check_method(method, size_factors)
    of_genes = gene_lengths(lengths, var_of(adata), method)
    stabilising = Stabilising(design, fit_type, n_genes)
    options = Options(prior_count, max_value, dtype, n_threads, of_genes, stabilising)
    options.check_for(method)
    if adata.isbacked:
        msg = "adata is backed by a file, and layers are made in memory: use adata.to_memory()."
        raise InputError(msg)
    source = _source(adata, method, layer=layer, scale=scale, size_factors=size_factors)
    recipe = Recipe.from_source(source, method, size_factors)
    name = recipe.method if key_added is None else key_added
    check_layer(adata, name, source=source.layer)
    made = make_layer(source, recipe, options, name=name, obs=obs_of(adata))
    make_actual(adata)
    write_layer(adata, made)
    for note in (*source.notes, *recipe.notes, sentence(made, recipe, source)):
        logger.info(note)


def _source(
    adata: AnnData,
    method: str,
    *,
    layer: str | None,
    scale: str | None,
    size_factors: str | None,
) -> Source:
    taken = scales_taken(method, size_factors)
    if size_factors is not None:
        need = f"size_factors={size_factors!r} are of counts"
    elif method == "auto":
        logs = ", ".join(map(repr, OF_LOGS))
        need = f"method='auto' takes counts or linear values ({logs} take logs)"
    elif method in OF_LOGS:
        need = f"method={method!r} takes logs, counts or linear values"
    else:
        need = f"method={method!r} takes counts{' or linear values' if method == 'log2' else ''}"
    of_counts = method not in OF_LOGS or size_factors is not None
    return find_source(adata, need=need, takes=taken, layer=layer, scale=scale, beside_x=of_counts)
