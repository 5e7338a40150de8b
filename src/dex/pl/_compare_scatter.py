"""log2 fold changes of one test against those of another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.stats import pearsonr, spearmanr

from dex.errors import InputError
from dex.pl._labels import place_labels
from dex.pl._panels import final_layout, make_panels
from dex.pl._points import axis_end
from dex.pl._points_text import width_of, write_notes
from dex.pl._strips import palette
from dex.pl._theme import FAINT, INK, LARGE, MEDIUM, NEUTRAL, SMALL, plain_axes, text_width, wrapped

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from dex.pl._compare_table import SideBySide
    from dex.typing import Bool, Float, Int

_EDGE = 1.04
_SQUASHED, _SHOWN = 2.5, 6.0
_MANY_POINTS = 2000
_ORANGE, _BLUE, _VERMILION = palette(7)[0], palette(7)[1], palette(7)[5]
_CLASSES = (
    ("neither", NEUTRAL),
    ("only x", _ORANGE),
    ("only y", _BLUE),
    ("both", INK),
    ("opposite", _VERMILION),
)
_BOTH, _OPPOSITE = 3, 4
_NEAR_ORIGIN, _VISIBLE = 0.1, 0.05
"""Parts of an axis: what is nearer to its origin has no name, and what differs less is alike."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """Genes with an effect in both tests; arrays ``(n_pairs,)``."""

    position: Int
    """In the table."""
    xy: Float
    """``(n_pairs, 2)``."""
    kind: Int
    """Significant in 0 neither, 1 the first, 2 the second, 3 both, 4 both on opposite sides."""
    end: float
    """Where both axes end; points beyond are drawn at the edge."""

    @classmethod
    def of(cls, table: SideBySide) -> Pairs:
        """Pair the effects of the two tests of ``table``.

        Raises
        ------
        InputError
            If no gene has an effect in both.
        """
        position = np.flatnonzero(np.isfinite(table.log2fc).all(axis=1))
        if not len(position):
            msg = (
                f"no gene has a log2fc in both of {list(table.tests['label'])}; an omnibus test "
                "has none. Use kind='upset', or other tests."
            )
            raise InputError(msg)
        xy = table.log2fc[position]
        kind = table.significant[position] @ np.array([1, 2])
        kind[(kind == _BOTH) & (np.sign(xy).prod(axis=1) < 0)] = _OPPOSITE
        end = axis_end(np.abs(xy).max(axis=1), _SQUASHED, shown=_SHOWN)
        return cls(position, xy, kind.astype(np.intp), end)

    @property
    def beyond(self) -> Bool:
        """Whether a point lies outside the axes."""
        return np.asarray((np.abs(self.xy) > self.end).any(axis=1))

    @property
    def drawn(self) -> Float:
        """Where the points are drawn: those beyond at the edge."""
        return np.clip(self.xy, -self.end, self.end)

    def worth_naming(self, n: int) -> Int:
        """Significant genes: those that differ most and those strongest in both, in turn.

        Those that differ do so visibly, and none is near the origin.
        """
        size, apart = np.abs(self.xy).max(axis=1), np.abs(self.xy @ [1, -1])
        found = np.flatnonzero((self.kind > 0) & (size >= _NEAR_ORIGIN * self.end))
        visible = found[apart[found] >= _VISIBLE * self.end]
        differ = visible[np.argsort(-apart[visible], kind="stable")][: n - n // 2]
        both = found[self.kind[found] == _BOTH] if (self.kind == _BOTH).any() else found
        both = both[~np.isin(both, differ)]
        strong = both[np.argsort(-np.abs(self.xy[both].sum(axis=1)), kind="stable")]
        strong = strong[: n - len(differ)]
        turns = np.concatenate([np.arange(len(differ)), np.arange(len(strong)) + 0.5])
        order = np.argsort(turns, kind="stable")
        return np.array(list(dict.fromkeys(np.concatenate([differ, strong])[order])), dtype=np.intp)


def draw_scatter(
    table: SideBySide,
    asked: Int | None,
    n_labels: int,
    *,
    title: str,
    figsize: tuple[float, float] | None,
    ax: Axes | None,
    own: bool,
) -> Axes:
    """Draw two tests against each other and return the axes."""
    pairs = Pairs.of(table)
    (panel,) = make_panels(1, figsize=figsize, ax=ax, own=own, height=92)
    figure = panel.figure.figure  # the root, of a subfigure too
    _draw_lines(panel, pairs)
    _draw_points(panel, pairs)
    plain_axes(panel)
    figure.draw_without_rendering()
    _write_legend(panel, pairs, title)
    _write_axes(panel, table)
    write_notes(panel, _notes(table, pairs), line=0)
    if ax is None and figsize is None:
        _make_square(panel)
    with final_layout(figure):
        _name_genes(panel, table, pairs, asked, n_labels)
    return panel


def _make_square(ax: Axes) -> None:
    """Give the figure the height at which the panel is as high as it is wide."""
    figure = ax.figure.figure
    figure.draw_without_rendering()
    width, height = figure.get_size_inches()
    figure.set_size_inches(width, height + (ax.bbox.width - ax.bbox.height) / figure.dpi)


def _draw_lines(ax: Axes, pairs: Pairs) -> None:
    style: dict[str, Any] = {"color": FAINT, "linewidth": 0.5, "zorder": 1}
    ax.axhline(0, **style)
    ax.axvline(0, **style)
    ax.axline((0, 0), slope=1, linestyle=(0, (4, 3)), label="_diagonal", **style)
    limit = pairs.end * _EDGE
    ax.set(xlim=(-limit, limit), ylim=(-limit, limit))


def _draw_points(ax: Axes, pairs: Pairs) -> None:
    size = _marker_size(pairs)
    many = len(pairs.xy) > _MANY_POINTS
    style: dict[str, Any] = {"linewidths": 0, "rasterized": many}
    for kind, (label, colour) in enumerate(_CLASSES):
        here = (pairs.kind == kind) & ~pairs.beyond
        order = 1.5 + 0.1 * kind
        ax.scatter(
            pairs.drawn[here, 0],
            pairs.drawn[here, 1],
            c=colour,
            s=size,
            label=label,
            zorder=order,
            **style,
        )
    _draw_beyond(ax, pairs)


def _draw_beyond(ax: Axes, pairs: Pairs) -> None:
    """Triangles at the edge that point to where the points are."""
    x, y = pairs.xy.T
    vertical = np.abs(y) > pairs.end
    ways = {
        "^": y > pairs.end,
        "v": y < -pairs.end,
        "<": (x < -pairs.end) & ~vertical,
        ">": (x > pairs.end) & ~vertical,
    }
    for marker, here in ways.items():
        if here.any():
            colours = [_CLASSES[kind][1] for kind in pairs.kind[here]]
            style: dict[str, Any] = {"s": 16, "linewidths": 0, "zorder": 3}
            ax.scatter(
                pairs.drawn[here, 0],
                pairs.drawn[here, 1],
                c=colours,
                marker=marker,
                label="beyond the axes",
                **style,
            )


def _marker_size(pairs: Pairs) -> float:
    """Area in square points: smaller where there are many."""
    return float(np.clip(300 / np.sqrt(len(pairs.xy)), 2.5, 10))


def _write_legend(ax: Axes, pairs: Pairs, title: str) -> None:
    """Title, and above the panel what the colours mean and how many genes have each."""
    counts = np.bincount(pairs.kind, minlength=len(_CLASSES))
    entries = [
        (f"{label} {n:,}", colour)
        for (label, colour), n in zip(_CLASSES, counts, strict=True)
        if n or label == "both"
    ]
    entries = entries[1:] + entries[:1] if counts[0] else entries
    handles = [
        ax.scatter([], [], s=14, linewidths=0, c=colour, label="_legend") for _, colour in entries
    ]
    needed = sum(text_width(text) + 4.2 for text, _ in entries)
    legend = ax.legend(
        handles,
        [text for text, _ in entries],
        loc="lower left",
        bbox_to_anchor=(0, 1),
        ncols=len(entries) if needed < width_of(ax) else -(-len(entries) // 2),
        frameon=False,
        fontsize=SMALL,
        borderpad=0.2,
        borderaxespad=0,
        handletextpad=0.1,
        handlelength=1,
        columnspacing=0.7,
        labelspacing=0.25,
    )
    legend.set_label("where significant")
    above = legend.get_window_extent().height * 72 / ax.figure.dpi
    ax.set_title(wrapped(title, width_of(ax), LARGE), fontsize=LARGE, color=INK, pad=above + 2)


def _write_axes(ax: Axes, table: SideBySide) -> None:
    width = width_of(ax)
    x, y = (wrapped(f"log₂ fold change, {label}", width, MEDIUM) for label in table.labels)
    ax.set_xlabel(x, labelpad=2, fontsize=MEDIUM)
    ax.set_ylabel(y, labelpad=2, fontsize=MEDIUM)


def _notes(table: SideBySide, pairs: Pairs) -> list[str]:
    notes = [_agreement(pairs)]
    n_beyond = int(pairs.beyond.sum())
    if n_beyond:
        far = np.abs(pairs.xy).max()
        notes.append(f"{n_beyond:,} beyond the axes, up to |log₂ FC| = {far:.3g}")
    absent = ~np.isfinite(table.log2fc)
    if absent.any():
        (x, y), either = absent.sum(axis=0), int(absent.any(axis=1).sum())
        notes.append(f"{either:,} not drawn: no fold change in x ({x:,}) or y ({y:,})")
    return notes


def _agreement(pairs: Pairs) -> str:
    n = len(pairs.xy)
    if n < 3 or (np.ptp(pairs.xy, axis=0) == 0).any():
        return f"{n:,} genes"
    r = pearsonr(*pairs.xy.T).statistic
    rho = spearmanr(*pairs.xy.T).statistic
    return f"Pearson r = {r:.2f}, Spearman rho = {rho:.2f}, {n:,} genes"


def _name_genes(
    ax: Axes, table: SideBySide, pairs: Pairs, asked: Int | None, n_labels: int
) -> None:
    """Name the genes asked for, each with a ring, then those worth it where there is room."""
    place = {int(row): i for i, row in enumerate(pairs.position)}
    rows = [] if asked is None else [place[int(row)] for row in asked if int(row) in place]
    wanted = np.array(rows, dtype=np.intp)
    others = pairs.worth_naming(n_labels)
    others = others[~np.isin(others, wanted)]
    size = _marker_size(pairs)
    colours = [_CLASSES[kind][1] for kind in pairs.kind[wanted]] or "none"
    ring: dict[str, Any] = {"facecolors": colours, "edgecolors": INK, "linewidths": 0.6}
    ax.scatter(
        pairs.drawn[wanted, 0],
        pairs.drawn[wanted, 1],
        s=size + 8,
        zorder=3.5,
        label="_asked for",
        **ring,
    )
    for positions, always in ((wanted, True), (others, False)):
        texts = [table.genes[pairs.position[i]] for i in positions]
        radius = float(np.sqrt(size + (8 if always else 0)) / 2)
        place_labels(
            ax, pairs.drawn[positions], texts, points=pairs.drawn, radius=radius, always=always
        )
