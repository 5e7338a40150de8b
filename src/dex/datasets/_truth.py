"""What a simulation is drawn from: genes, units of observation, and the effects on them."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from dex.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dex.typing import Bool, Float, Int


@dataclass(frozen=True, slots=True)
class Spread:
    """Standard deviations on the log2 scale."""

    log2fc: float
    mean_count: float
    dispersion: float
    library_size: float
    batch: float
    replicate: float
    replicate_condition: float

    def __post_init__(self) -> None:
        for field in fields(self):
            check_at_least(0, **{f"{field.name}_sd": getattr(self, field.name)})


@dataclass(frozen=True, slots=True)
class Trend:
    """Base means and dispersions over all genes."""

    mean_count: float
    """Median of the base means."""
    dispersion: float
    """Dispersion at a large mean."""
    extra_dispersion: float
    """What is added to it at a mean of 1."""

    def __post_init__(self) -> None:
        for field in fields(self):
            check_at_least(0, **{field.name: getattr(self, field.name)})
        if self.mean_count == 0:
            msg = "mean_count=0 leaves nothing to count; pass a positive number."
            raise InputError(msg)


@dataclass(frozen=True, slots=True)
class Genes:
    """The truth about every gene."""

    mean: Float
    """Mean count in the reference at size factor 1, shape ``(n_vars,)``."""
    dispersion: Float
    """Shape ``(n_vars,)``."""
    log2fc: Float
    """Against the first group, shape ``(n_vars, n_groups - 1)``."""

    @classmethod
    def draw(
        cls, log2fc: Float, trend: Trend, spread: Spread, *, rng: np.random.Generator
    ) -> Genes:
        """Draw means and dispersions for genes of given effects."""
        n_genes = len(log2fc)
        mean = trend.mean_count * 2.0 ** rng.normal(0.0, spread.mean_count, n_genes)
        scatter = 2.0 ** rng.normal(0.0, spread.dispersion, n_genes)
        return cls(mean, (trend.dispersion + trend.extra_dispersion / mean) * scatter, log2fc)


def draw_log2fc(
    n_genes: int, n_contrasts: int, fraction: float, *, sd: float, rng: np.random.Generator
) -> Float:
    """Effects of a random ``fraction`` of the genes, else 0; shape ``(n_vars, n_contrasts)``."""
    log2fc = np.zeros((n_genes, n_contrasts))
    changed = rng.permutation(n_genes)[: round(fraction * n_genes)]
    log2fc[changed] = rng.normal(0.0, sd, (len(changed), n_contrasts))
    return log2fc


@dataclass(frozen=True, slots=True)
class Units:
    """Samples, or replicates in a condition; every array has shape ``(n_units,)``."""

    groups: tuple[str, ...]
    condition: Int
    """Index into ``groups``."""
    member: Int
    """Number within the group, from 0: the donor where groups are paired."""
    batch: Int
    n_batches: int
    paired: bool
    n_cells: int | None
    """Cells of each unit; None where the unit itself is observed."""

    @classmethod
    def from_options(
        cls,
        groups: Sequence[str],
        n_per_group: int | Sequence[int],
        *,
        n_batches: int,
        paired: bool,
        n_cells: int | None,
    ) -> Units:
        """Lay out the units, group after group."""
        if isinstance(groups, str) or len(groups) < 2 or len(set(groups)) < len(groups):
            msg = f"groups={groups!r} must be two or more different names."
            raise InputError(msg)
        sizes = [n_per_group] * len(groups) if isinstance(n_per_group, int) else list(n_per_group)
        if len(sizes) != len(groups):
            msg = f"n_per_group={n_per_group!r} has {len(sizes)} numbers for {len(groups)} groups."
            raise InputError(msg)
        check_at_least(1, n_per_group=min(sizes), n_batches=n_batches)
        if n_cells is not None:
            check_at_least(1, cells_per_replicate=n_cells)
        if paired and len(set(sizes)) > 1:
            msg = f"paired=True needs groups of one size; n_per_group={n_per_group!r}."
            raise InputError(msg)
        if n_batches > min(sizes):
            msg = f"n_batches={n_batches} is more than the smallest group, {min(sizes)}, can fill."
            raise InputError(msg)
        member = np.concatenate([np.arange(size) for size in sizes])
        condition = np.repeat(np.arange(len(groups)), sizes)
        return cls(tuple(groups), condition, member, member % n_batches, n_batches, paired, n_cells)

    @property
    def observed(self) -> Int:
        """Unit of every observation, shape ``(n_obs,)``."""
        return np.repeat(np.arange(len(self.member)), self.n_cells or 1)

    @property
    def names(self) -> list[str]:
        """Names, as in ``control_1``."""
        pairs = zip(self.condition, self.member, strict=True)
        return [f"{self.groups[group]}_{member + 1}" for group, member in pairs]

    @property
    def replicates(self) -> list[str]:
        """Names of the independent units: donors where groups are paired."""
        return [f"donor{member + 1}" for member in self.member] if self.paired else self.names

    def draw_effects(self, log2fc: Float, spread: Spread, *, rng: np.random.Generator) -> Float:
        """Sum of the log2 effects on every unit, shape ``(n_units, n_vars)``."""
        n_genes, n_units = len(log2fc), len(self.member)
        replicate = self.member if self.paired else np.arange(n_units)
        n_replicates = int(np.max(replicate)) + 1
        batches, replicates, both = rng.spawn(3)
        group = np.column_stack([np.zeros(n_genes), log2fc]).T
        effects: Float = group[self.condition]
        if spread.batch:
            effects += batches.normal(0.0, spread.batch, (self.n_batches, n_genes))[self.batch]
        if spread.replicate:
            drawn = replicates.normal(0.0, spread.replicate, (n_replicates, n_genes))
            effects += drawn[replicate]
        if spread.replicate_condition:
            effects += both.normal(0.0, spread.replicate_condition, (n_units, n_genes))
        return effects


def draw_outliers(n_genes: int, n_obs: int, fraction: float, *, rng: np.random.Generator) -> Int:
    """Observation in which a gene has its outlier, -1 for none; shape ``(n_vars,)``."""
    outlier = np.full(n_genes, -1)
    chosen = rng.permutation(n_genes)[: round(fraction * n_genes)]
    outlier[chosen] = rng.integers(n_obs, size=len(chosen))
    return outlier


def check_at_least(minimum: float, **option: float) -> None:
    """Raise InputError for an option that is smaller, infinite or NaN."""
    for name, value in option.items():
        if not minimum <= value < np.inf:
            msg = f"{name}={value!r} is not possible; it must be a number from {minimum} up."
            raise InputError(msg)


def check_fraction(**option: float) -> None:
    """Raise InputError for an option outside 0 to 1."""
    for name, value in option.items():
        if not 0 <= value <= 1:
            msg = f"{name}={value!r} is not possible; it must be between 0 and 1."
            raise InputError(msg)


def is_changed(log2fc: Float) -> Bool:
    """Genes with an effect in any group, shape ``(n_vars,)``."""
    return np.asarray((log2fc != 0).any(axis=1), dtype=bool)
