"""Markers that hold in every block: each group tested within each block by itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from dex._logging import logger
from dex.design.groups import two_sample_tests
from dex.design.wording import listed
from dex.errors import InputError
from dex.results import Result
from dex.results.actual import check_writable
from dex.results.store import check_free, check_stats, store
from dex.stats.combining import deviates, stouffer_test, worst_test
from dex.stats.multitest import adjust_columns
from dex.tl._analysis import divisors_of
from dex.tl._columns import Sides
from dex.tl._double_dipping import dipped_warning
from dex.tl._finish import finish
from dex.tl._grouped import Grouped, Measurement
from dex.tl._options import Options
from dex.tl._recorded import measured_params
from dex.tl.methods import METHODS, TwoSampleMethod

if TYPE_CHECKING:
    from collections.abc import Sequence

    from anndata import AnnData
    from numpy.typing import ArrayLike

    from dex.data.expression import Columns
    from dex.design.groups import TwoSample
    from dex.tl._double_dipping import DoubleDipping
    from dex.typing import Bool, Float, Int

_AVERAGED = ("base_mean", "mean_group", "mean_reference", "auc", "pct_group", "pct_reference")
"""What is given as its mean over the blocks, beside the fold change."""
_MOST_NOTES = 5


def conserved_markers(
    adata: AnnData,
    groupby: str,
    *,
    block: str,
    double_dipping: DoubleDipping = "warn",
    method: str = "wilcoxon",
    reference: str = "rest",
    groups: Sequence[str] | None = None,
    exclude: Sequence[str] = (),
    layer: str | None = None,
    scale: str | None = None,
    unit: str | None = None,
    size_factors: str = "auto",
    mask_var: str | ArrayLike | None = None,
    padj_method: str = "fdr_bh",
    padj_scope: Literal["test", "global"] = "test",
    stats: Sequence[str] | None = None,
    key_added: str = "conserved_markers",
    n_threads: int | None = None,
) -> None:
    """Test every group in every block by itself, and ask what holds in all of them.

    The p-value is that of the intersection-union test: small only where the gene differs in every
    block, in one direction. It is the largest of the blocks' two-sided p-values, and 1 where their
    signs disagree or a block does not express the gene. No p-value of blocks is too large for it
    to be valid, and blocks need no common scale. ``pval_combined`` is Stouffer's, weighted by the
    root of the effective number of observations ``m n / (m + n)``: small where the blocks taken
    together show an effect, though one of them might not.

    Parameters
    ----------
    adata
        Observations x genes: counts or logs in ``X`` or in a layer.
    groupby
        Column of ``adata.obs`` whose levels are tested.
    block
        Column of ``obs`` with the blocks: donor, batch, condition. A group is tested in the blocks
        that have it and its reference; a note says which those are not.
    double_dipping
        ``"allow"`` silences the warning that groups are clusters of the values tested.
    method
        ``"wilcoxon"``, ``"t-test"`` or ``"t-test-student"``.
    reference
        ``"rest"``, or a level, as the control of a screen.
    groups
        Only these levels are tested; the others stay in the rest.
    exclude
        Levels that are neither tested nor in the rest.
    layer, scale, unit, size_factors, mask_var, n_threads
        As in :func:`dex.tl.rank_genes`.
    padj_method, padj_scope
        As in :func:`dex.tl.rank_genes`; both p-values are adjusted.
    stats
        As in :func:`dex.tl.rank_genes`.
    key_added
        Where the result goes; an earlier result there is replaced.

    Returns
    -------
    None. Writes a result as :func:`dex.tl.rank_genes` does. ``pval``, ``padj`` and their logs are
    of the worst block, ``stat`` is the normal deviate of that; ``log2fc``, ``auc``, means and
    fractions are means over the blocks; ``log2fc_min`` and ``log2fc_max`` the extremes;
    ``n_blocks`` says in how many the gene was tested, ``n_agreeing`` how many have the sign of
    most; then ``pval_combined``, ``padj_combined`` and their logs.

    Raises
    ------
    InputError
        If a column, level, method or matrix cannot be used as asked, or there is one block only.

    Notes
    -----
    Cells of one block are tested as if they were independent of each other. That every donor shows
    the effect is a claim about these donors; about others it is made by adding up cells, with
    ``replicate=`` in :func:`dex.tl.rank_genes`.

    Examples
    --------
    >>> import dex
    >>> adata = dex.datasets.pbmc68k()
    >>> dex.tl.conserved_markers(adata, "bulk_labels", block="phase")
    >>> table = dex.get.rank_genes_df(adata, "Dendritic", key="conserved_markers")
    >>> table["gene"].head(3).tolist()
    ['LYZ', 'CST3', 'LGALS2']
    """
    options = Options(
        lfc=0.0,
        block=None,
        padj_method=padj_method,
        padj_scope=padj_scope,
        key_added=key_added,
        n_threads=n_threads,
        size_factors=size_factors,
        alternative="two-sided",
        continuity=False,
        weights="optimal",
    )
    used = _method(method)
    check_writable(adata)
    check_free(adata, key_added)
    check_stats(stats)
    measurement = Measurement(
        layer=layer,
        scale=scale,
        unit=unit,
        size_factors=size_factors,
        mask_var=mask_var,
        n_threads=n_threads,
    )
    named = [groups] if isinstance(groups, str) else list(groups or ())
    grouped = Grouped.from_adata(
        adata,
        groupby,
        exclude=exclude,
        named=[*named, reference],
        block=block,
        reference=reference,
        measurement=measurement,
    )
    if len(grouped.blocks) < 2:
        msg = f"block={block!r} has one level only; dex.tl.rank_genes tests without blocks."
        raise InputError(msg)
    tests = two_sample_tests(grouped.groups, groups_tested=groups, reference=reference)
    tested = _Blocks.of(grouped, tests, used, options)
    dipped = dipped_warning(adata, [groupby], double_dipping, layer=layer)
    for warning in dipped:
        logger.warning(warning)
    notes = (*grouped.notes, *_untested_notes(grouped, tests, tested.made, block))
    for note in notes:
        logger.info(note)
    columns = finish(
        tested.columns(),
        grouped.genes,
        adata.n_vars,
        two_sample=True,
        unreplicated=~tested.made.any(axis=0),
        not_estimable=np.zeros(1, dtype=bool),
        options=options,
    )
    _add_combined(columns, options)
    params = _params(grouped, tests, used, options) | {"block": block}
    n = Sides(grouped.codes, len(grouped.groups.levels), tests.tests).n
    sizes = (tuple(n[:, 0].tolist()), tuple(n[:, 1].tolist()))
    divisors = divisors_of(grouped.expression, adata.n_obs)
    result = Result(columns, tests.infos, *sizes, params, (*dipped, *notes), size_factors=divisors)
    store(adata, result, key=key_added, stats=stats)


def _method(name: str) -> TwoSampleMethod:
    two = [one for one in METHODS.values() if isinstance(one, TwoSampleMethod)]
    usable = {one.name: one for one in two if one.block != "pairs"}
    if name not in usable:
        msg = f"method={name!r} is not a test of two groups within a block; use {listed(usable)}."
        raise InputError(msg)
    return usable[name]


@dataclass(frozen=True, slots=True)
class _Blocks:
    """Every test in every block; arrays ``(n_blocks, n_vars, n_tests)``, NaN where not made."""

    z: Float
    log2fc: Float
    averaged: Columns
    """Means over the blocks, ``(n_vars, n_tests)``."""
    made: Bool
    """Which tests a block has the observations for, shape ``(n_blocks, n_tests)``."""
    weights: Float
    """Roots of the effective numbers of observations, same shape."""

    @classmethod
    def of(
        cls, grouped: Grouped, tests: TwoSample, method: TwoSampleMethod, options: Options
    ) -> _Blocks:
        shape = (len(grouped.blocks), len(grouped.genes), len(tests.tests))
        z, log2fc = np.full(shape, np.nan), np.full(shape, np.nan)
        made, weights = np.zeros((shape[0], shape[2]), dtype=bool), np.zeros((shape[0], shape[2]))
        sums: Columns = {}
        for b in range(shape[0]):
            inside = np.flatnonzero(grouped.strata == b)
            sides = Sides(grouped.codes[inside], len(grouped.groups.levels), tests.tests)
            made[b] = _enough(sides.n, method)
            if not made[b].any():
                continue
            weights[b] = _weights(sides.n)
            some = Sides(sides.codes, sides.n_groups, tests.tests[made[b]])
            found = method.each(grouped.expression.take(inside), some, options)
            z[b][:, made[b]] = deviates(found["log10_pval"], found["stat"])
            log2fc[b][:, made[b]] = found["log2fc"]
            for name in _AVERAGED:
                if name in found:
                    sums.setdefault(name, np.zeros(shape[1:]))[:, made[b]] += found[name]
        with np.errstate(invalid="ignore"):
            averaged = {name: values / made.sum(axis=0) for name, values in sums.items()}
        return cls(z, log2fc, averaged, made, weights)

    def columns(self) -> Columns:
        """The worst block, all blocks together, and how far they agree."""
        made = self.made[:, None, :]
        tested = ~np.isnan(self.z)
        # A block that has the group and not the gene is no evidence: its deviate is 0.
        z = np.where(made & ~tested & tested.any(axis=0), 0.0, self.z)
        worst, together = worst_test(z), stouffer_test(z, self.weights[:, None, :])
        up, down = (z > 0).sum(axis=0), (z < 0).sum(axis=0)
        low = np.where(made, self.log2fc, np.inf).min(axis=0)
        high = np.where(made, self.log2fc, -np.inf).max(axis=0)
        with np.errstate(invalid="ignore"):
            mean = np.where(made, self.log2fc, 0.0).sum(axis=0) / self.made.sum(axis=0)
        return {
            "log2fc": mean,
            "log2fc_min": np.where(np.isinf(low), np.nan, low),
            "log2fc_max": np.where(np.isinf(high), np.nan, high),
            "stat": worst.stat,
            "log10_pval": worst.log10_pval,
            "log10_pval_combined": together.log10_pval,
            "n_blocks": tested.sum(axis=0).astype(np.float64),
            "n_agreeing": np.maximum(up, down).astype(np.float64),
            **self.averaged,
        }


def _enough(n: Int, method: TwoSampleMethod) -> Bool:
    """Which tests have the observations that a p-value needs, ``n`` being ``(n_tests, 2)``."""
    return np.asarray((n.min(axis=1) >= method.fewest) & (n.sum(axis=1) >= 3))


def _weights(n: Int) -> Float:
    with np.errstate(invalid="ignore"):  # neither side in the block
        return np.nan_to_num(np.sqrt(n.prod(axis=1) / n.sum(axis=1)))


def _add_combined(columns: Columns, options: Options) -> None:
    """Adjust the combined p-values as the others are."""
    log10_pval = columns["log10_pval_combined"]
    log10_padj = adjust_columns(log10_pval, options.padj_method, scope=options.padj_scope)
    columns |= {
        "log10_padj_combined": log10_padj,
        "pval_combined": 10**log10_pval,
        "padj_combined": 10**log10_padj,
    }


def _untested_notes(grouped: Grouped, tests: TwoSample, made: Bool, block: str) -> tuple[str, ...]:
    """Say in which blocks tests were not made; the first few of many."""
    short = np.flatnonzero(~made.all(axis=0))
    notes = []
    for i in short[:_MOST_NOTES]:
        blocks = [name for name, has in zip(grouped.blocks, made[:, i], strict=True) if not has]
        notes.append(
            f"{tests.infos[i].name!r} is not tested in {len(blocks)} of {len(made)} levels of "
            f"block={block!r}, which have too few observations: {listed(blocks, limit=5)}."
        )
    if len(short) > _MOST_NOTES:
        notes.append(f"The same goes for {len(short) - _MOST_NOTES} more tests.")
    return tuple(notes)


def _params(
    grouped: Grouped, tests: TwoSample, method: TwoSampleMethod, options: Options
) -> dict[str, Any]:
    references = {info.reference for info in tests.infos}
    return {
        "groupby": grouped.groups.column,
        "reference": references.pop(),
        **measured_params(grouped.expression),
        "method": method.name,
        "method_title": f"{method.title} in every block; intersection-union test of them",
        "citation": f"{method.citation}; Berger (1982), Technometrics 24:295-300",
        "lfc": 0.0,
        "corr_method": options.padj_method,
        "padj_scope": options.padj_scope,
        "n_obs": len(grouped.codes),
    }
