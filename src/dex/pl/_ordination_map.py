"""What a map of the observations shows: points, colours, markers, names."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
from matplotlib.colors import Normalize

from dex.errors import InputError
from dex.get import expression_df, params
from dex.get._ordination import check_component
from dex.pl._ordination_groups import places_of_groups
from dex.pl._ordination_key import check_shape
from dex.pl._strips import Levels, Numbers, find_column, strip_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from anndata import AnnData

    from dex.get._ordination import Ordination
    from dex.pl._strips import Strip
    from dex.typing import Float

_MOST_PANELS = 12
_SAMPLES_NAMED = 24
"""Up to so many samples are named beside their points."""


@dataclass(frozen=True, slots=True)
class Map:
    """What one panel shows."""

    xy: Float
    """Shape ``(n_obs, 2)``."""
    pair: tuple[int, int]
    """The components, counted from 1."""
    axis_labels: tuple[str, str]
    colour: Strip | None
    shape: Levels | None
    names: tuple[str, ...]
    """Beside the points, ``(n_obs,)``, empty ones for none; none at all without names."""
    all_names: bool = True
    """Whether to write names for which there is hardly room, too."""
    group_names: bool = False
    """Whether to write the levels of ``colour`` where their points are, instead of a key."""
    arrows: Float | None = None
    """Ends of the arrows, ``(n_arrows, 2)``, to any scale."""
    arrow_names: tuple[str, ...] = ()

    @property
    def groups(self) -> Levels | None:
        """Levels to write where their points are."""
        return self.colour if self.group_names and isinstance(self.colour, Levels) else None

    @property
    def keyed_colour(self) -> Strip | None:
        """Colours that a key has to explain: names do so where groups lie apart."""
        lie_apart = self.groups is not None and places_of_groups(self.xy, self.groups).lie_apart
        return None if lie_apart else self.colour

    @property
    def area(self) -> float:
        """Area of a marker in square points: smaller where there are many."""
        return float(np.clip(240 / np.sqrt(len(self.xy)), 0.8, 30))


def maps_of(
    adata: AnnData,
    ordination: Ordination,
    color: str | Sequence[str] | None,
    axis_name: str,
    *,
    shape: str | None,
    components: object,
    labels: str | Sequence[str] | None,
    layer: str | None,
    gene_symbols: str | None,
    single: bool,
) -> list[Map]:
    """Return a map for each pair of components and each colour, one alone if ``single``.

    Raises
    ------
    InputError
        If anything asked for is not there, or if there are too many maps.
    """
    pairs = pairs_of(components, ordination.coordinates.shape[1])
    wanted = [color] if color is None or isinstance(color, str) else list(color)
    wanted = [compared_column(adata)] if wanted in ([None], []) else wanted
    most = 1 if single else _MOST_PANELS
    if len(pairs) * len(wanted) > most:
        where = "ax= holds one panel" if single else f"a figure holds {most} panels"
        msg = f"{where}, and {len(pairs)} pairs of components x {len(wanted)} colours were given."
        raise InputError(msg)
    scale = None if layer is not None else ordination.params.get("source_scale")
    layer = layer if layer is not None else ordination.params.get("layer")
    auto = isinstance(labels, str) and labels == "auto"
    colours = [
        colour_of(adata, name, layer=layer, scale=scale, gene_symbols=gene_symbols)
        for name in wanted
    ]
    return [
        Map(
            ordination.coordinates[:, np.array(pair) - 1],
            pair,
            (
                axis_label(axis_name, pair[0], ordination),
                axis_label(axis_name, pair[1], ordination),
            ),
            colour,
            shape_of(adata, shape),
            names_of(adata, labels),
            all_names=not auto or len(pairs) * len(wanted) == 1,
            group_names=isinstance(labels, str) and labels == "groups",
        )
        for pair in pairs
        for colour in colours
    ]


def colour_of(
    adata: AnnData,
    color: str | None,
    *,
    layer: str | None,
    scale: str | None,
    gene_symbols: str | None,
) -> Strip | None:
    """Colour by a column of ``obs``, else by the expression of a gene.

    Raises
    ------
    InputError
        If it is neither.
    """
    if color is None:
        return None
    if color in adata.obs:
        return strip_of(adata, color)
    try:
        frame = expression_df(adata, color, layer=layer, scale=scale, gene_symbols=gene_symbols)
    except InputError as error:
        have = ", ".join(map(repr, adata.obs.columns)) or "none"
        msg = (
            f"color={color!r} is not a column of adata.obs (it has {have}), and as a gene: {error}"
        )
        raise InputError(msg) from error
    values = frame.iloc[:, 0].to_numpy(dtype=np.float64)
    low, high = float(values.min()), float(values.max())
    norm = Normalize(low, high if high > low else low + 1)
    return Numbers(str(frame.columns[0]), values, mpl.colormaps["viridis"], norm)


def shape_of(adata: AnnData, shape: str | None) -> Levels | None:
    """Markers by a column of ``obs``.

    Raises
    ------
    InputError
        If there is no such column, or it has too many levels.
    """
    if shape is None:
        return None
    levels = Levels.from_adata(adata, shape)
    check_shape(levels)
    return levels


def compared_column(adata: AnnData) -> str | None:
    """Return the column that the last ranking compared, if there is one."""
    try:
        column = params(adata).get("groupby")
    except InputError:
        return None
    return column if isinstance(column, str) and column in adata.obs else None


def names_of(adata: AnnData, labels: str | Sequence[str] | None) -> tuple[str, ...]:
    """Names to write beside the points; an empty tuple for none.

    Raises
    ------
    InputError
        If ``labels`` is no word that is known, no column of ``obs`` and no observations.
    """
    if labels is None or (isinstance(labels, str) and labels == "groups"):
        return ()
    every = tuple(map(str, adata.obs_names))
    if isinstance(labels, str):
        if labels == "auto":
            return every if len(every) <= _SAMPLES_NAMED else ()
        if labels == "names":
            return every
        values = find_column(adata, labels)
        return tuple(np.where(values.isna(), "", values.astype(str)).tolist())
    missing = sorted(set(map(str, labels)) - set(every))
    if missing:
        msg = f"labels: {len(missing)} of {len(labels)} are not in obs_names: {missing[:5]}."
        raise InputError(msg)
    wanted = set(map(str, labels))
    return tuple(name if name in wanted else "" for name in every)


def pairs_of(components: object, n_comps: int) -> list[tuple[int, int]]:
    """Pairs of components, a panel each: one pair, a list of them, or all of several numbers.

    Raises
    ------
    InputError
        If these are not components, or one is paired with itself.
    """
    try:
        given = list(components)  # type: ignore[call-overload]
        nested = [item for item in given if np.ndim(item) == 1]
        pairs = [tuple(pair) for pair in nested] if nested else list(combinations(given, 2))
        valid = bool(pairs) and len(nested) in {0, len(given)}
        valid &= all(len(pair) == 2 and pair[0] != pair[1] for pair in pairs)
    except (TypeError, ValueError):
        valid, pairs = False, []
    if not valid:
        msg = f"components={components!r} are no pairs; say (1, 2), [(1, 2), (3, 4)] or (1, 2, 3)."
        raise InputError(msg)
    for pair in pairs:
        for number in pair:
            check_component(number, n_comps)
    return pairs


def axis_label(name: str, number: int, ordination: Ordination) -> str:
    """Name of a component, with its part of the variance where that is known."""
    if ordination.variance_ratio is None:
        return f"{name}{number}"
    percent = 100 * ordination.variance_ratio[number - 1]
    return f"{name}{number} ({percent:.{0 if percent >= 10 else 1}f}%)"
