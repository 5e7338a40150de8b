"""Classes of genes that are shown in colours of their own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dex.errors import InputError
from dex.pl._strips import palette

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dex.pl._points import Points
    from dex.typing import Int

_ORDER = (0, 2, 6, 4, 3, 1)
"""Of Okabe and Ito's colours, those that are neither grey nor like the red of UP."""
_MARKERS = (("o", "●"), ("s", "■"), ("D", "◆"), ("p", "⬟"), ("P", "✚"), ("X", "✖"))


@dataclass(frozen=True, slots=True)
class GeneClass:
    """Genes of one class, as they are drawn in one panel."""

    label: str
    positions: Int
    """Among the points of the panel."""
    n_given: int
    colour: str
    marker: str
    sign: str
    """The marker as a character, for the legend."""


def gene_classes(
    points: Points, highlight: Mapping[str, str | Sequence[str]] | None
) -> list[GeneClass]:
    """Find the genes of every class; those that are not drawn, as in gene sets, are counted.

    Raises
    ------
    InputError
        If there are more classes than colours, or if a class has no gene of the result.
    """
    given = dict(highlight or {})
    if len(given) > len(_ORDER):
        msg = f"highlight= has {len(given)} classes; more than {len(_ORDER)} are not told apart."
        raise InputError(msg)
    colours = palette(8)
    classes = []
    for i, (label, genes) in enumerate(given.items()):
        wanted = list(dict.fromkeys([genes] if isinstance(genes, str) else map(str, genes)))
        positions = points.find_known(wanted)
        if not len(positions) and not set(wanted) & set(points.not_drawn):
            msg = (
                f"highlight={label!r}: none of its {len(wanted)} genes {wanted[:3]} is in the "
                f"result, which has {list(points.names[:3])}, ...; is gene_symbols= right?"
            )
            raise InputError(msg)
        marker, sign = _MARKERS[i]
        classes.append(
            GeneClass(str(label), positions, len(wanted), colours[_ORDER[i]], marker, sign)
        )
    return classes


def classified(classes: list[GeneClass], n_points: int) -> np.ndarray:
    """Class of each point, ``(n_points,)``: the last that has it; -1 where none does."""
    codes = np.full(n_points, -1, dtype=np.intp)
    for code, one in enumerate(classes):
        codes[one.positions] = code
    return codes
