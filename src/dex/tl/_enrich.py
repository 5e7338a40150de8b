"""The door to gene sets: from a result to the sets that change in each of its contrasts."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from dex._logging import logger
from dex.data.gene_sets import match_sets
from dex.design.wording import listed
from dex.errors import InputError
from dex.get._tested import Tested
from dex.results import StoredResult
from dex.results.actual import check_writable
from dex.results.enrichment import (
    Enrichment,
    StoredSets,
    check_enrichment_free,
    store_enrichment,
)
from dex.results.gene_metric import gene_metric
from dex.results.schema import DESIGN, MARKER_SCORE, OF_SAMPLES
from dex.stats.multitest import METHODS as PADJ_METHODS
from dex.tl._options import require_choice
from dex.tl._set_methods import SET_METHODS
from dex.tl._set_model import SetMethod, SetQuestion
from dex.tl._set_samples import SampleSource
from dex.tl._set_table import SetTable
from dex.tl.methods import METHODS, ModelMethod

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from os import PathLike

    import pandas as pd
    from anndata import AnnData

    from dex.tl._set_samples import SampleModel
    from dex.typing import Bool

_FEWEST_GENES = 3


def enrich(
    adata: AnnData,
    gene_sets: str | PathLike[str] | Mapping[str, Sequence[str]] | pd.DataFrame,
    *,
    method: str = "auto",
    key: str = "rank_genes",
    contrast: str | Sequence[str] | None = None,
    gene_symbols: str | None = None,
    min_size: int = 10,
    max_size: int | None = 500,
    metric: str = "zscore",
    similarity: float = 0.5,
    padj_method: str = "fdr_bh",
    padj_scope: Literal["test", "global"] = "test",
    key_added: str = "enrich",
    n_threads: int | None = None,
    **method_options: Any,
) -> None:
    """Test gene sets in the contrasts of a result, all of them in one call.

    Parameters
    ----------
    adata
        With a result of :func:`dex.tl.rank_genes` or :func:`dex.tl.contrast`.
    gene_sets
        A GMT file; a dict ``{name: genes}``; or a table with the columns ``gene_set`` and
        ``gene``. Nothing is downloaded.
    method
        What is asked of a set, and what is taken to be random:

        ``"camera"``
            Do its genes change more than the others? Samples are random, and correlations between
            genes are estimated from them, so that sets of genes that vary together are not called
            for that alone.
        ``"fry"``, ``"roast"``
            Do any of its genes change (self-contained)? Samples are random. Where many genes
            change, random sets do too, and are called: that is no error, but the question.
            ``pval`` is of a change in one direction, ``pval_mixed`` of any.
        ``"ora"``
            Are its genes over-represented among those chosen by their adjusted p-values? Up and
            down are tested apart. Genes are taken to be independent.
        ``"camera_preranked"``, ``"ulm"``, ``"gsea"``
            Are its genes high or low in the list of all? Genes are taken to be independent, or
            correlated as given: of sets whose genes vary together far too many are called.
        ``"auto"``
            ``"camera"`` where samples were tested, ``"ora"`` for cells.
    key
        Where the result is.
    contrast
        One or several of its tests, by name; all by default.
    gene_symbols
        Column of ``var`` in which the names of the sets are looked for. By default ``var_names``
        or the column of ``var`` that has most of them.
    min_size, max_size
        Sets with fewer or more genes found and tested are left out.
    metric
        What genes are ranked by, for methods that take a list: ``"zscore"``, the normal score of p
        with the sign of the effect, or a column of the result, as ``"stat"`` or ``"log2fc"``.
    similarity
        A set whose overlap with a better one (genes shared over genes of the smaller) is this or
        more is represented by it.
    padj_method, padj_scope
        As in :func:`dex.tl.rank_genes`: over the sets of each contrast, or of all together.
    key_added
        Where the table goes; an earlier one there is replaced.
    n_threads
        Threads; by default the cores that the process may use.
    **method_options
        What only some methods take:

        ``"camera"``
            ``inter_gene_cor``: a correlation given for all sets, as limma's own default of 0.01;
            ``allow_negative``: let estimates below 0 make p smaller; ``use_ranks``.
        ``"fry"``
            ``robust``: keep outlying variances out of the prior; ``standardize``: by roots of
            ``"posterior"`` or ``"residual"`` variances, or ``"none"``.
        ``"roast"``
            ``n_rotations`` (9999), which bound p from below; ``set_statistic``: ``"mean"``,
            ``"floormean"``, ``"mean50"`` or ``"msq"``; ``robust``; ``seed``.
        ``"camera_preranked"``
            ``inter_gene_cor`` (0.01), ``use_ranks``.
        ``"gsea"``
            ``exponent`` (1) of the metric that genes of a set weigh; ``seed`` (0) of the random
            sets: the same one gives the same numbers, however many threads.
        ``"ora"``
            ``padj`` (0.05) or ``pval``, and ``log2fc`` (0), by which genes are chosen;
            ``universe``: ``"tested"``, or ``"annotated"``, those that are in any set too;
            ``directions``: ``"apart"`` or ``"together"``.

    Returns
    -------
    None. Writes ``adata.uns[key_added]``: the table, the sets as they were found, parameters and
    notes. :func:`dex.get.enrich_df` makes a DataFrame of it, and says what its columns are.

    Raises
    ------
    dex.errors.InputError
        If the sets, the result or an option cannot be used as asked. ``adata`` is then unchanged.

    Notes
    -----
    Genes are those with a finite p in the contrast. Methods that see samples take those of the
    result again. Where counts were modelled (edgeR, DESeq2, limma-voom) they are log2 counts per
    million with voom's precision weights, of the libraries and size factors of the result; else
    the logs that were tested. Cells that were added up by ``replicate`` are again.

    With weights of every value, genes have residuals on axes of their own, so that correlations
    and ``"fry"`` depend, slightly, on the order of the design's columns, as they do in limma.

    Examples
    --------
    >>> import dex
    >>> adata = dex.datasets.simulate_counts(n_genes=200, n_per_group=4, seed=1)
    >>> dex.tl.rank_genes(adata, groupby="condition")
    >>> sets = {"first": adata.var_names[:20], "next": adata.var_names[20:60]}
    >>> dex.tl.enrich(adata, sets)
    >>> dex.get.enrich_df(adata)["gene_set"].tolist()
    ['first', 'next']
    """
    check_writable(adata)
    check_enrichment_free(adata, key_added)
    require_choice("padj_method", padj_method, PADJ_METHODS)
    require_choice("padj_scope", padj_scope, ("test", "global"))
    sizes = _Sizes(min_size, max_size)
    stored = StoredResult.from_adata(adata, key)
    chosen, notes = _method(stored, method)
    options = chosen.with_options(method_options)
    tests = _tests(stored, contrast, chosen)
    matched = match_sets(adata, gene_sets, gene_symbols=gene_symbols)
    for warning in (*matched.warnings, *_warnings(stored, chosen)):
        logger.warning(warning)
    tests, finite, untested = _with_genes(stored, tests, named=contrast is not None)
    models, transform = _samples(stored, tests, finite, n_threads) if chosen.samples else ({}, None)
    table = SetTable(chosen.name, matched, sizes.keep, np.array(adata.var_names, dtype=object))
    for i, test in enumerate(tests):
        genes = finite[:, i]
        measure = gene_metric(stored, test, genes, metric)
        asked = SetQuestion(
            measure,
            _column(stored, "log10_pval", test)[genes],
            _column(stored, "log10_padj", test)[genes],
            _column(stored, "log2fc", test)[genes],
            table.sets_of(genes),
            np.isin(np.flatnonzero(genes), matched.index.members),
            models.get(test),
            options,
            n_threads,
        )
        table.add(stored.names[test], genes, asked, chosen.run(asked))
    columns = table.columns(padj_method, padj_scope, similarity)
    notes = (*notes, *untested, *matched.notes, *table.notes(), *_transformed(transform))
    for note in notes:
        logger.info(note)
    params = {
        "method": chosen.name,
        "method_title": chosen.title,
        "citation": chosen.citation,
        "null": chosen.null,
        "transform": transform,
        "key": key,
        "contrasts": np.array([stored.names[test] for test in tests], dtype=object),
        "gene_symbols": matched.column,
        "min_size": min_size,
        "max_size": max_size,
        "metric": metric,
        "similarity": similarity,
        "padj_method": padj_method,
        "padj_scope": padj_scope,
        "n_sets": len(table.tested()),
        **_as_dict(options),
    }
    sets = StoredSets(*table.stored_sets())
    store_enrichment(adata, Enrichment(columns, sets, params, notes), key=key_added)


@dataclass(frozen=True, slots=True)
class _Sizes:
    smallest: int
    largest: int | None

    def __post_init__(self) -> None:
        if self.smallest < 1 or (self.largest is not None and self.largest < self.smallest):
            msg = (
                f"min_size={self.smallest}, max_size={self.largest}: sets have 1 gene or more, and "
                "the largest size is not below the smallest."
            )
            raise InputError(msg)

    def keep(self, sizes: Any) -> Bool:
        largest = np.inf if self.largest is None else self.largest
        return np.asarray((sizes >= self.smallest) & (sizes <= largest))


def _method(stored: StoredResult, method: str) -> tuple[SetMethod, tuple[str, ...]]:
    require_choice("method", method, ("auto", *SET_METHODS))
    if not stored.has_pvalues or MARKER_SCORE in stored.columns:
        msg = f"the result {stored.key!r} has no p-values; run dex.tl.rank_genes."
        raise InputError(msg)
    if method != "auto":
        return SET_METHODS[method], ()
    if _has_samples(stored) and not _lacks_design(stored):
        return SET_METHODS["camera"], ("method='auto': samples were tested, so camera.",)
    why = (
        "the result has not kept its design"
        if _has_samples(stored)
        else "cells were tested, which are no samples"
    )
    return SET_METHODS["ora"], (f"method='auto': {why}, so ora of the genes called.",)


def _samples(
    stored: StoredResult, tests: list[int], finite: Bool, n_threads: int | None
) -> tuple[dict[int, SampleModel], str]:
    """Models of the tests, each on its own genes, and how values were made."""
    tested, per, apart = Tested.by(stored), stored.field("per"), "per" in stored.params
    models: dict[int, SampleModel] = {}
    for stratum in dict.fromkeys(per[test] for test in tests):
        own = [i for i, test in enumerate(tests) if per[test] == stratum]
        genes = finite[:, own].any(axis=1)
        source = SampleSource.of(
            stored,
            tested,
            np.flatnonzero(genes),
            stratum=stratum if apart else None,
            n_threads=n_threads,
        )
        made = source.models([tests[i] for i in own])
        models |= {tests[i]: made[tests[i]].among(finite[genes, i]) for i in own}
    return models, source.transform


def _has_samples(stored: StoredResult) -> bool:
    """Whether what was tested are samples, and each test compares or fits some."""
    samples = stored.params.get("unit") == "samples" or "sample_by" in stored.params
    return samples and all(kind != "omnibus" for kind in stored.field("kind"))


def _lacks_design(stored: StoredResult) -> bool:
    """Whether a model was fitted whose design is not there: too large, or of an earlier version."""
    if not isinstance(METHODS.get(str(stored.params["method"])), ModelMethod):
        return False
    kept = isinstance(stored.params.get(OF_SAMPLES[DESIGN]), np.ndarray)
    return not kept and f"{stored.key}_{DESIGN}" not in stored.adata.obsm


def _warnings(stored: StoredResult, method: SetMethod) -> tuple[str, ...]:
    if method.samples and not _has_samples(stored):
        return (
            f"method={method.name!r} takes cells for samples: p-values are exploratory, and far "
            "too small between conditions; replicate= of dex.tl.rank_genes makes samples of them.",
        )
    if method.samples or method.name == "ora" or not _has_samples(stored):
        return ()
    return (
        f"method={method.name!r} takes genes for independent and never sees the samples, which are "
        "there: of sets whose genes correlate by 0.05 to 0.2 it calls 26% to 50% at 5% though "
        "nothing changes; method='camera' holds its level.",
    )


def _tests(stored: StoredResult, contrast: Any, method: SetMethod) -> list[int]:
    asked = [contrast] if isinstance(contrast, str | int) else contrast
    if asked is None:
        tests = list(range(len(stored.names)))
    else:
        tests = list(dict.fromkeys(stored.position(one) for one in asked))
    kinds = stored.field("kind")
    omnibus = [test for test in tests if kinds[test] == "omnibus"]
    if omnibus and not method.omnibus:
        msg = (
            f"the test {stored.names[omnibus[0]]!r} is of several effects at once, which have no "
            f"direction for method={method.name!r}; test each contrast, or take method='ora'."
        )
        raise InputError(msg)
    return tests


def _with_genes(
    stored: StoredResult, tests: list[int], *, named: bool
) -> tuple[list[int], Bool, tuple[str, ...]]:
    """Tests of genes enough, which genes each is of, and what is said of others.

    Raises
    ------
    InputError
        If a test that was asked for by name, or every one, has too few.
    """
    finite = np.isfinite(stored.values("log10_pval")[:, tests])
    enough = finite.sum(axis=0) >= _FEWEST_GENES
    few = [test for test, keep in zip(tests, enough, strict=True) if not keep]
    if few and (named or not enough.any()):
        n = int(finite[:, tests.index(few[0])].sum())
        msg = f"the test {stored.names[few[0]]!r} has {n} genes with a p-value: too few for sets."
        raise InputError(msg)
    left_out = listed([stored.names[test] for test in few], limit=5)
    notes = (f"Without genes enough, so left out: {left_out}.",) if few else ()
    return [test for test in tests if test not in few], finite[:, enough], notes


def _column(stored: StoredResult, name: str, test: int) -> Any:
    if name not in stored.columns:
        return np.full(stored.adata.n_vars, np.nan)
    return np.asarray(stored.values(name)[:, test], dtype=np.float64)


def _transformed(transform: str | None) -> tuple[str, ...]:
    return () if transform is None else (f"Samples: {transform}.",)


def _as_dict(options: Any) -> dict[str, Any]:
    return {name: value for name, value in asdict(options).items() if value is not None}
