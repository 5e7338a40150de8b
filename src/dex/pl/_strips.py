"""Columns of ``obs`` as colours."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.colors import Colormap, Normalize, is_color_like, to_rgb

from dex.errors import InputError

if TYPE_CHECKING:
    from anndata import AnnData

    from dex.typing import Float, Int

MISSING = "#ffffff"
OBS_COLUMNS = "dex_obs_columns"
"""In ``uns`` of what was made of another AnnData: the columns of ``obs`` that this has."""
_NUMERIC_MAPS = ("viridis", "cividis", "magma")
_PALETTE = (  # Okabe and Ito's, told apart with any colour vision; their black is not a fill
    "#E69F00",
    "#56B4E9",
    "#009E73",
    "#F0E442",
    "#0072B2",
    "#D55E00",
    "#CC79A7",
    "#999999",
)


@dataclass(frozen=True, slots=True)
class Levels:
    """A column of ``obs`` as levels: codes into names, with a colour for each."""

    name: str
    codes: Int
    """``(n_obs,)``; -1 where the value is missing."""
    names: tuple[str, ...]
    colours: tuple[str, ...]

    @classmethod
    def from_adata(cls, adata: AnnData, column: str) -> Levels:
        """Read levels with the colours stored in ``uns`` if they fit.

        Categories are in their own order, other values in that of people: 2 before 10. Colours
        depend on where in ``obs`` the column is, so that they are the same in all figures.

        Raises
        ------
        InputError
            If ``obs`` has no such column.
        """
        values = find_column(adata, column)
        if not isinstance(values.dtype, pd.CategoricalDtype):
            values = values.astype(object).where(values.notna(), None)
            values = values.map(lambda value: None if value is None else str(value))
            in_order = sorted(values.dropna().unique(), key=natural_key)
            values = values.astype(pd.CategoricalDtype(in_order))
        names = tuple(map(str, values.cat.categories))
        stored = adata.uns.get(f"{column}_colors")
        colours = _matching(stored, len(names)) or palette(
            len(names), offset=place_of_column(adata, column)
        )
        return cls(column, np.asarray(values.cat.codes, dtype=np.intp), names, colours)

    def rgb(self) -> Float:
        """Colours of the observations, ``(n_obs, 3)``."""
        table = np.array([to_rgb(colour) for colour in (*self.colours, MISSING)])
        return np.asarray(table[self.codes])

    def legend(self) -> list[tuple[str, str]]:
        """Name and colour of every level that occurs."""
        used = np.unique(self.codes[self.codes >= 0])
        entries = [(self.names[code], self.colours[code]) for code in used]
        return entries + ([("missing", MISSING)] if (self.codes < 0).any() else [])


@dataclass(frozen=True, slots=True)
class Numbers:
    """A numeric column of ``obs``."""

    name: str
    values: Float
    cmap: Colormap
    norm: Normalize

    @classmethod
    def from_adata(cls, adata: AnnData, column: str) -> Numbers:
        """Read numbers; NaN where missing. Where in ``obs`` the column is gives the colours."""
        values = find_column(adata, column).to_numpy(dtype=np.float64, na_value=np.nan)
        finite = values[np.isfinite(values)]
        low, high = (finite.min(), finite.max()) if len(finite) else (0.0, 1.0)
        cmap = mpl.colormaps[_NUMERIC_MAPS[place_of_column(adata, column) % len(_NUMERIC_MAPS)]]
        cmap = cmap.with_extremes(bad=MISSING)
        return cls(column, values, cmap, Normalize(low, high if high > low else low + 1))

    def rgb(self) -> Float:
        """Colours of the observations, ``(n_obs, 3)``."""
        masked = np.ma.masked_invalid(self.values)
        return np.asarray(self.cmap(self.norm(masked)))[:, :3]

    def ends(self) -> tuple[str, str]:
        """Both ends of the scale, to about a hundredth of its length."""
        low, high = float(self.norm.vmin or 0), float(self.norm.vmax or 0)
        decimals = max(1 - int(np.floor(np.log10(high - low))), 0)
        return f"{low:.{decimals}f}", f"{high:.{decimals}f}"


Strip = Levels | Numbers


def strip_of(adata: AnnData, column: str) -> Strip:
    """Numbers or levels, as the column has them."""
    values = find_column(adata, column)
    numeric = pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)
    kind = Numbers if numeric else Levels
    return kind.from_adata(adata, column)


def place_of_column(adata: AnnData, column: str) -> int:
    """Where a column is in ``obs``, or in that of the cells that samples were made of."""
    columns = [str(name) for name in adata.uns.get(OBS_COLUMNS, adata.obs.columns)]
    return columns.index(column) if column in columns else len(columns)


def natural_key(name: str) -> tuple[tuple[bool, float, str], ...]:
    """Key by which people sort names.

    >>> sorted(["t10", "t2", "-1", "10", "2.5"], key=natural_key)
    ['-1', '2.5', '10', 't2', 't10']
    """
    if re.fullmatch(r"[-+]?\d+(\.\d+)?", name):
        return ((False, float(name), ""),)
    parts = enumerate(re.split(r"(\d+)", name))
    split = [(False, float(p), "") if i % 2 else (True, 0.0, p.lower()) for i, p in parts]
    return (*split, (True, 0.0, name))


def find_column(adata: AnnData, column: str) -> pd.Series:
    """Return a column of ``obs``, or raise InputError with those that there are."""
    if column not in adata.obs:
        have = ", ".join(map(repr, adata.obs.columns)) or "none"
        msg = f"{column!r} is not a column of adata.obs; it has {have}."
        raise InputError(msg)
    return adata.obs[column]


def palette(n: int, *, offset: int = 0) -> tuple[str, ...]:
    """Return ``n`` colours: Okabe and Ito's, beginning with another one for each ``offset``.

    Their grey comes last. More than eight are theirs, then darker and lighter ones of them; more
    than 24 a rainbow.
    """
    if n <= len(_PALETTE):
        turning = len(_PALETTE) - 1
        first = [_PALETTE[(i + 3 * offset) % turning] for i in range(turning)]
        return (*first, _PALETTE[-1])[:n]
    if n <= 3 * len(_PALETTE):
        shades = [_mixed(colour, end) for end in (0.0, 1.0) for colour in _PALETTE]
        return (*_PALETTE, *shades)[:n]
    return tuple(map(mpl.colors.to_hex, mpl.colormaps["turbo"](np.linspace(0.03, 0.97, n))))


def _mixed(colour: str, end: float) -> str:
    """Half way to black (0) or white (1)."""
    red, green, blue = (0.5 * part + 0.5 * end for part in to_rgb(colour))
    return mpl.colors.to_hex((red, green, blue))


def _matching(stored: object, n: int) -> tuple[str, ...] | None:
    """Return the colours that scanpy has stored, if there is a valid one for every level."""
    if stored is None or isinstance(stored, str | dict) or np.ndim(stored) != 1:  # type: ignore[arg-type]
        return None
    colours = tuple(map(str, stored))  # type: ignore[call-overload]
    return colours if len(colours) == n and all(map(is_color_like, colours)) else None
