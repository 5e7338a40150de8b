"""What a way to test gene sets is handed, and what it hands back."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Literal

from dex.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from dex.stats.gene_sets import SetIndex
    from dex.tl._set_samples import SampleModel
    from dex.typing import Bool, Float, Int

Direction = Literal["", "up", "down", "any"]


@dataclass(frozen=True, slots=True)
class SetQuestion:
    """One contrast, and the sets to be tested in it; genes are those with a finite p."""

    metric: Float
    """What genes are ranked by, positive for up, ``(n_genes,)``."""
    log10_pval: Float
    log10_padj: Float
    """Of the genes; NaN where they were not adjusted."""
    log2fc: Float
    sets: SetIndex
    """Positions among these genes."""
    annotated: Bool
    """Genes that are in any of the sets that were given, ``(n_genes,)``."""
    samples: SampleModel | None
    """Of these genes; None if the method needs none."""
    options: Any
    """The method's own."""
    n_threads: int | None = None


@dataclass(frozen=True, slots=True)
class SetAnswer:
    """Tests of all sets in one direction, or in both at once; arrays ``(n_sets,)``."""

    score: Float
    log10_pval: Float
    direction: Direction = ""
    """Empty where the sign of the score says it."""
    columns: dict[str, NDArray[Any]] = field(default_factory=dict)
    """Further columns by their names in the schema."""
    leading: list[Int] | None = None
    """Positions of the genes that carry each result, the strongest first; None for those of a
    two-sided p of 0.16 or less (a z of the root of 2) in the set's direction."""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NoSetOptions:
    """A method without options of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetMethod:
    """A way to test gene sets."""

    name: str
    title: str
    citation: str
    null: str
    """What is true of a set that is called wrongly."""
    run: Callable[[SetQuestion], list[SetAnswer]]
    options: type[Any] = NoSetOptions
    samples: bool = False
    """Whether it sees the samples."""
    omnibus: bool = False
    """Whether it takes tests without a direction."""

    def with_options(self, given: dict[str, Any]) -> Any:
        """Make the method's options.

        Raises
        ------
        InputError
            If it has no such option.
        """
        names = [one.name for one in fields(self.options)]
        if unknown := [name for name in given if name not in names]:
            takes = f"takes {', '.join(names)}" if names else "has no options of its own"
            msg = f"{unknown[0]}={given[unknown[0]]!r}: method={self.name!r} {takes}."
            raise InputError(msg)
        return self.options(**given)
