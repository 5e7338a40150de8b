"""Cells added up into samples before they are tested."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from dex.data.pseudobulk import Samples, pseudobulk
from dex.data.source import counts_source
from dex.design.comparison import ModelComparison
from dex.design.labels import column_of, is_numeric
from dex.design.replicates import unit_columns
from dex.design.wording import in_formula, listed, plural
from dex.errors import InputError
from dex.stats.filtering import filter_by_expr, min_sample_size

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from anndata import AnnData

    from dex.data import Source
    from dex.design.comparison import TwoSampleComparison
    from dex.tl._question import Question
    from dex.typing import Int

_COUNTS_NEEDED = (
    "cells are added up as counts; put raw counts into adata.layers['counts'], or replicate=None "
    "tests the cells"
)
_FEWEST_CELLS = 10  # of a sample: sums of fewer are mostly noise


@dataclass(frozen=True, slots=True)
class Measured:
    """What is tested: a matrix, the observations that belong to it, and the genes."""

    source: Source
    obs: pd.DataFrame
    genes: Int
    notes: tuple[str, ...] = ()
    made: Mapping[str, Any] = field(default_factory=dict)
    """How samples were made of cells, so that they can be made again."""
    rows: Int | None = None
    """Positions of the observations among all, where they are some of them."""

    def take(self, rows: Int) -> Measured:
        """Only some observations, at sorted positions; what was said of all is not said again."""
        source = replace(
            self.source,
            matrix=self.source.matrix[rows],
            obs_names=self.source.obs_names[rows],
            notes=(),
        )
        made = {name: value for name, value in self.made.items() if name != "sample_names"}
        return replace(self, source=source, obs=self.obs.iloc[rows], notes=(), made=made, rows=rows)


def add_up_cells(
    adata: AnnData,
    measured: Measured,
    question: Question,
    *,
    replicate: str,
    per: str | None,
    block: str | None,
    min_cells: int | None,
    n_threads: int | None,
) -> Measured:
    """Counts of samples: the cells of a replicate that have the same labels in the question.

    With ``per`` they are also of one stratum, as of a cell type. Samples of fewer than
    ``min_cells`` cells are left out. ``block`` is what the test itself knows of repeats.

    Raises
    ------
    InputError
        If there are no counts, if ``replicate`` is no column or the one that is compared, or if a
        covariate differs between the cells of a sample.
    """
    column_of(measured.obs, replicate, argument="replicate")
    if replicate in question.compared(measured.obs):
        msg = f"replicate={replicate!r} is the column compared; name the donor, animal or sample."
        raise InputError(msg)
    source = counts_source(adata, measured.source, need=_COUNTS_NEEDED)
    labels = [*question.labels(measured.obs), *([] if per is None else [per])]
    by = [replicate, *(name for name in labels if name != replicate)]
    fewest = min_cells or (_FEWEST_CELLS if source.unit == "cells" else 1)
    samples = Samples.from_obs(measured.obs, by, min_cells=fewest)
    _require_constant(question.variables(measured.obs), samples.obs, by)
    bulk = pseudobulk(source, samples, n_threads=n_threads)
    notes = (
        *source.notes,
        samples.note,
        *_repeats(samples.obs, question, replicate, by, per=per, block=block),
        *_pairs(samples.obs, question, replicate, block=block),
    )
    made = {
        "sample_by": np.array(by, dtype=object),
        "sample_layer": source.layer,
        "min_cells": fewest,
    }
    return Measured(bulk, samples.obs, measured.genes, notes, made)


def with_enough_counts(
    measured: Measured, comparison: TwoSampleComparison | ModelComparison
) -> Measured:
    """Leave out genes with too few counts in the samples to be tested (edgeR's rule)."""
    counts = measured.source.matrix[comparison.kept]
    if isinstance(comparison, ModelComparison):
        smallest = min_sample_size(comparison.design.matrix)
    else:
        smallest = min_sample_size(comparison.groups.codes[comparison.kept])
    keep = filter_by_expr(counts, counts.sum(axis=1), min_sample_size=smallest)
    genes = measured.genes[keep[measured.genes]]
    if not len(genes):
        msg = "no gene has counts enough in the samples that the cells were added up into."
        raise InputError(msg)
    n_left_out = len(measured.genes) - len(genes)
    note = f"{plural(n_left_out, 'gene')} left out for too few counts in the samples."
    notes = (*measured.notes, note) if n_left_out else measured.notes
    return replace(measured, genes=genes, notes=notes)


def _repeats(
    samples: pd.DataFrame,
    question: Question,
    replicate: str,
    by: Sequence[str],
    *,
    per: str | None,
    block: str | None,
) -> tuple[str, ...]:
    """Say where a replicate stands several times on one side, and nothing accounts for it."""
    compared = [name for name in question.compared(samples) if name in by]
    apart = [replicate, *compared, *([] if per is None else [per])]
    others = [name for name in by if name not in apart]
    repeated = bool(samples.duplicated(apart).any())
    if not repeated or replicate in {block, *question.variables(samples)}:
        return ()
    return (
        f"Each level of {replicate!r} is in several samples (by {listed(others)}), which are not "
        f"independent: put {replicate!r} into the design, make it the block= of 'limma_voom' or "
        "'mixed', or test each part by itself.",
    )


def _pairs(
    samples: pd.DataFrame, question: Question, replicate: str, *, block: str | None
) -> tuple[str, ...]:
    """Say where every replicate is on all sides, and the design makes no use of it.

    The replicate may be a sample, and the donor that it is of another column.
    """
    compared = [name for name in question.compared(samples) if name in samples]
    donors = [
        name for name in dict.fromkeys([replicate, *unit_columns(samples)]) if name in samples
    ]
    used = {block, *question.variables(samples)}
    if len(compared) != 1 or any(name in used for name in donors):
        return ()
    paired = [name for name in donors if _is_crossed(samples, name, compared[0])]
    if not paired:
        return ()
    design = f"~ {in_formula(paired[0])} + {in_formula(compared[0])}"
    return (
        f"Every level of {paired[0]!r} has samples of all {compared[0]!r}: design={design!r} "
        "compares within each, which finds more.",
    )


def _is_crossed(samples: pd.DataFrame, name: str, compared: str) -> bool:
    """Whether two levels or more of a column are each on all sides."""
    if name == compared or is_numeric(samples[compared]):
        return False
    sides = samples.groupby(name, observed=True)[compared].nunique()
    n_sides = samples[compared].nunique()
    return n_sides > 1 and len(sides) > 1 and bool((sides == n_sides).all())


def _require_constant(variables: Sequence[str], samples: pd.DataFrame, by: Sequence[str]) -> None:
    varying = [name for name in variables if name not in samples]
    if varying:
        msg = (
            f"design= uses {listed(varying)}, which differs between cells of one sample "
            f"({' x '.join(by)}); leave it out, or replicate=None tests the cells."
        )
        raise InputError(msg)
