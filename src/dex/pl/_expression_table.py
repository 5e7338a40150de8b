"""What a plot of expression shows: values, and where each observation belongs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
from scipy.special import stdtrit

from dex.errors import InputError
from dex.pl._expression_source import LINEAR
from dex.pl._strips import Levels, find_column
from dex.pl._table import compared
from dex.pl._theme import FAINT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd

    from dex.pl._expression_source import ExpressionSource
    from dex.typing import Float, Int

Kind = Literal["auto", "points", "box", "violin", "bar"]
KINDS: Final = ("auto", "points", "box", "violin", "bar")

FEW_POINTS = 50
"""Observations of a group up to which each is worth a look."""
FEWEST_OF_BOX, FEWEST_OF_DENSITY = 5, 10
"""Observations that quartiles and a density are drawn of."""


@dataclass(frozen=True, slots=True)
class ExpressionTable:
    """Values of the genes in the observations shown."""

    values: Float
    """``(n_shown, n_genes)``."""
    genes: tuple[str, ...]
    """Names to show."""
    groupby: str
    """Empty where there are no groups."""
    groups: tuple[str, ...]
    group: Int
    """``(n_shown,)``, position in ``groups``."""
    colours: tuple[str, ...]
    """Of the groups; or, where there is a hue, of its levels."""
    hue: str
    """Empty where there is none."""
    hues: tuple[str, ...]
    part: Int
    """``(n_shown,)``, position in ``hues``."""
    x: Float | None
    """``(n_shown,)``, the covariate, where ``groupby`` is one of numbers."""
    pair: Int
    """``(n_shown,)``, number of the pair; -1 where there is none."""
    kind: Kind
    unit: str

    @property
    def n_hues(self) -> int:
        """At least one."""
        return max(len(self.hues), 1)

    @property
    def sizes(self) -> Int:
        """Observations by group."""
        return np.bincount(self.group, minlength=len(self.groups))

    def members(self, group: int, part: int) -> Int:
        """Positions of the observations of a group and level of hue."""
        return np.flatnonzero((self.group == group) & (self.part == part))

    def places(self) -> Iterator[tuple[int, int, Int]]:
        """Every group and level of hue that has observations, and their positions."""
        for group in range(len(self.groups)):
            for part in range(self.n_hues):
                members = self.members(group, part)
                if len(members):
                    yield group, part, members

    def colour(self, group: int, part: int) -> str:
        """Of a group and level of hue."""
        return self.colours[part if self.hues else group]

    def place(self, group: int, part: int) -> float:
        """Middle of a group and level of hue on the x axis."""
        return group + (part - (self.n_hues - 1) / 2) * self.step

    @property
    def has_bars(self) -> bool:
        """Whether means are bars from zero, which is no origin of logs."""
        return self.kind == "bar" and self.unit in LINEAR

    @property
    def note(self) -> str:
        """What is not drawn because a group is too small."""
        if self.x is not None or self.kind not in {"box", "violin"}:
            return ""
        fewest = min((len(members) for *_, members in self.places()), default=0)
        notes = []
        if self.kind == "violin" and fewest < FEWEST_OF_DENSITY:
            notes.append(f"fewer than {FEWEST_OF_DENSITY} observations: a box, no violin")
        if fewest < FEWEST_OF_BOX:
            notes.append(f"fewer than {FEWEST_OF_BOX} observations: a line at the median, no box")
        return "\n".join(notes)

    @property
    def step(self) -> float:
        """Distance of the levels of hue on the x axis."""
        return 0.8 / self.n_hues

    @classmethod
    def from_source(
        cls,
        source: ExpressionSource,
        genes: Sequence[str],
        tests: pd.DataFrame | None,
        *,
        groupby: str | None,
        hue: str | None,
        order: Sequence[str] | None,
        pairs: str | Literal[False] | None,
        kind: Kind,
        gene_symbols: str | None,
    ) -> ExpressionTable:
        """Read values and labels.

        Raises
        ------
        InputError
            If a gene, column or level is not there.
        """
        adata = source.shown
        about = source.contrasted_columns() if tests is not None else ()
        column = groupby or (about[0] if about else "")
        hue = hue or (about[1] if groupby is None and len(about) == 2 else "")
        x = _covariate(source, column)
        rows, group, levels = _grouped(source, tests, "" if x is not None else column, order)
        part, parts = np.zeros(len(rows), dtype=np.intp), None
        if hue:
            parts = Levels.from_adata(adata, hue)
            rows, group = rows[parts.codes[rows] >= 0], group[parts.codes[rows] >= 0]
            part = parts.codes[rows]
        if x is not None:
            known = np.isfinite(x[rows])
            rows, group, part = rows[known], group[known], part[known]
        frame = source.values(genes, gene_symbols=gene_symbols)
        names = tuple(name for name, _ in levels) or ("",)
        return cls(
            frame.to_numpy()[rows],
            tuple(map(str, frame.columns)),
            column,
            names,
            group,
            parts.colours if parts else tuple(colour for _, colour in levels) or (FAINT,),
            hue,
            parts.names if parts else (),
            part,
            None if x is None else x[rows],
            _paired(source, pairs, column, rows, group * 1000 + part),
            _kind(kind, group, part),
            source.unit,
        )


def _covariate(source: ExpressionSource, column: str) -> Float | None:
    if not column or column not in source.shown.obs or not source.is_numeric(column):
        return None
    return find_column(source.shown, column).to_numpy(dtype=np.float64, na_value=np.nan)


def _grouped(
    source: ExpressionSource,
    tests: pd.DataFrame | None,
    column: str,
    order: Sequence[str] | None,
) -> tuple[Int, Int, list[tuple[str, str]]]:
    """Observations shown, the group of each, and names and colours of the groups."""
    adata = source.shown
    if not column:
        return np.arange(adata.n_obs), np.zeros(adata.n_obs, dtype=np.intp), []
    levels = Levels.from_adata(adata, column)
    colour_of = dict(zip(levels.names, levels.colours, strict=True))
    is_tested = column in source.contrasted_columns()
    shown = compared(source, tests if is_tested else None, groupby=column)
    rows, group, names = shown.rows, shown.group, list(shown.names)
    if order is not None:
        names = _checked(order, levels, column)
        names_of = np.array(levels.names, dtype=object)
        everybody = np.flatnonzero(levels.codes >= 0)
        position = {name: i for i, name in enumerate(names)}
        group = np.array([position.get(n, -1) for n in names_of[levels.codes[everybody]]], np.intp)
        rows, group = everybody[group >= 0], group[group >= 0]
    return rows, group, [(name, colour_of[name]) for name in names]


def _checked(order: Sequence[str], levels: Levels, column: str) -> list[str]:
    names = list(dict.fromkeys(map(str, order)))
    missing = [name for name in names if name not in levels.names]
    if missing or not names:
        msg = f"order={names!r}: {column!r} has the levels {', '.join(map(repr, levels.names))}."
        raise InputError(msg)
    return names


def _paired(
    source: ExpressionSource,
    pairs: str | Literal[False] | None,
    column: str,
    rows: Int,
    place: Int,
) -> Int:
    """Pair of each observation shown, ``(n_shown,)``; -1 for none."""
    nobody = np.full(len(rows), -1, dtype=np.intp)
    if pairs is False or not column:
        return nobody
    if pairs is not None:
        return Levels.from_adata(source.shown, pairs).codes[rows]
    block = source.text("block") if source.text("method") == "t-test-paired" else None
    if column not in source.contrasted_columns():
        return nobody
    candidates = [block] if block else [c for c in source.design_columns() if c != column]
    for name in candidates:
        if block or not source.is_numeric(name):
            codes = Levels.from_adata(source.shown, name).codes[rows]
            if block or _pairs_all(codes, place):
                return codes
    return nobody


def _pairs_all(codes: Int, place: Int) -> bool:
    """Whether every level has one observation in every group."""
    places = np.unique(place, return_inverse=True)[1].reshape(-1)
    if (codes < 0).any() or len(codes) > 2 * FEW_POINTS or places.max(initial=0) == 0:
        return False
    table = np.zeros((codes.max() + 1, places.max() + 1), dtype=int)
    np.add.at(table, (codes, places), 1)
    return bool((table[table.sum(axis=1) > 0] == 1).all())


def _kind(kind: Kind, group: Int, part: Int) -> Kind:
    if kind != "auto":
        return kind
    most = np.unique(group * 1000 + part, return_counts=True)[1].max(initial=0)
    return "points" if most <= FEW_POINTS else "violin"


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean and its confidence interval."""

    mean: float
    low: float
    high: float


def mean_interval(values: Float, level: float = 0.95) -> Interval:
    """Mean and its confidence interval by Student's t; NaN ends for a single value."""
    n, mean = len(values), float(values.mean())
    if n < 2:
        return Interval(mean, np.nan, np.nan)
    half = float(stdtrit(n - 1, 0.5 + level / 2) * values.std(ddof=1) / np.sqrt(n))
    return Interval(mean, mean - half, mean + half)
