"""Which gene sets are drawn, in what order, and what of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dex.errors import InputError
from dex.get import enrich_df, enrich_params
from dex.pl._theme import SMALL, text_width

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from anndata import AnnData

_LONGEST_LINES = 3
_WEAKEST = 1.3
_STRONGEST = 10.0


@dataclass(frozen=True, slots=True)
class ChosenSets:
    """Rows of the table of :func:`dex.get.enrich_df`."""

    frame: pd.DataFrame
    """Of the sets drawn in all contrasts, with columns ``effect`` and ``signed``, its -log10 padj
    with its sign; of each set and contrast the best row."""
    names: tuple[str, ...]
    """Sets in the order drawn: those up first, from the most to the least."""
    contrasts: tuple[str, ...]
    effect: str
    """What the effect is, in words."""
    note: str
    """Empty if all contrasts have significant sets."""

    @classmethod
    def from_adata(
        cls,
        adata: AnnData,
        contrast: str | Sequence[str] | None,
        sets: Sequence[str] | None,
        *,
        key: str,
        n_sets: int,
        padj: float,
        representative: bool,
    ) -> ChosenSets:
        """Take sets as named, or the best ``n_sets`` of each contrast.

        Those that are called are taken; where none is, the best by p, which is said.

        Raises
        ------
        InputError
            If there are no such sets, or none is left.
        """
        if n_sets < 1:
            msg = f"n_sets={n_sets} leaves nothing to draw; it must be at least 1."
            raise InputError(msg)
        if not 0 < padj <= 1:
            msg = f"padj={padj!r} is no limit of adjusted p-values; it lies between 0 and 1."
            raise InputError(msg)
        every = enrich_df(adata, contrast, key=key)
        params = enrich_params(adata, key=key)
        every, effect = _with_effects(every)
        every = every.sort_values("log10_pval", kind="stable")
        best = every.drop_duplicates(["contrast", "gene_set"])
        contrasts = tuple(
            str(name) for name in params["contrasts"] if (every["contrast"] == name).any()
        )
        note = ""
        if sets is not None:
            wanted = list(dict.fromkeys([sets] if isinstance(sets, str) else sets))
            if missing := [name for name in wanted if not (best["gene_set"] == name).any()]:
                msg = f"{missing[0]!r} is none of the gene sets tested under {key!r}."
                raise InputError(msg)
        else:
            wanted, note = _best(every, contrasts, n_sets, padj, representative=representative)
        if not wanted:
            msg = f"no gene set under {key!r} has a p-value: nothing to draw."
            raise InputError(msg)
        frame = best.loc[best["gene_set"].isin(wanted)].reset_index(drop=True)
        return cls(frame, tuple(_ordered(frame, contrasts)), contrasts, effect, note)

    def table(self, column: str) -> np.ndarray:
        """Values of a column, ``(n_sets, n_contrasts)``; NaN where a set was not tested."""
        wide = self.frame.set_index(["gene_set", "contrast"])[column]
        places = [(name, contrast) for name in self.names for contrast in self.contrasts]
        found = wide.reindex(places).to_numpy(dtype=np.float64)
        return found.reshape(len(self.names), len(self.contrasts))


def _with_effects(frame: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """Add the effect and the signed -log10 padj."""
    down = frame["direction"].to_numpy() == "down"
    sign = np.where(down, -1.0, 1.0)
    method = str(frame["method"].iloc[0]) if len(frame) else ""
    if "nes" in frame:
        effect, words = frame["nes"].to_numpy(), "normalised enrichment score"
    elif method == "ora":
        fold = np.maximum(frame["score"].to_numpy(), 0.125)
        effect, words = (
            sign * np.abs(np.log2(fold)) * (fold > 1),
            "log₂ fold enrichment, ± direction",
        )
    else:
        effect, words = (
            frame["score"].to_numpy(),
            f"{'z' if method == 'roast' else 't'} of {method}",
        )
    signed = sign * -frame["log10_padj"].to_numpy()
    return frame.assign(effect=effect, signed=signed), words


def _best(
    every: pd.DataFrame,
    contrasts: tuple[str, ...],
    n_sets: int,
    padj: float,
    *,
    representative: bool,
) -> tuple[list[str], str]:
    """Names of the best sets of each contrast, and where none is called."""
    taken: list[str] = []
    without = []
    for contrast in contrasts:
        own = every.loc[(every["contrast"] == contrast) & every["pval"].notna()]
        if representative and "representative" in own:
            own = own.loc[own["representative"] == own["gene_set"]]
        called = own.loc[own["padj"] <= padj]
        if not len(called):
            without.append(contrast)
        taken += list((called if len(called) else own)["gene_set"].drop_duplicates()[:n_sets])
    note = ""
    if without:
        n = len(contrasts)
        which = "" if n == 1 else f" in {len(without)} of {n} contrasts"
        note = f"no set at padj ≤ {padj:g}{which}: best by p"
    return list(dict.fromkeys(taken)), note


def _ordered(frame: pd.DataFrame, contrasts: tuple[str, ...]) -> list[str]:
    """By the contrast that each set is best in, and within it by its sign and strength."""
    rank = {name: i for i, name in enumerate(contrasts)}
    best = frame.sort_values("log10_pval", kind="stable").drop_duplicates("gene_set")
    by_contrast = best["contrast"].map(rank)
    order = np.lexsort((-best["signed"], by_contrast))
    return [str(name) for name in best["gene_set"].to_numpy()[order]]


def wrapped_name(name: str, width: float, size: float = SMALL) -> str:
    r"""Break the name of a set into at most three lines of ``width`` mm; the rest is left out.

    Names in capitals with underscores, as MSigDB has them, are broken there.

    >>> wrapped_name("HALLMARK_TNFA_SIGNALING_VIA_NFKB", 30.0)
    'HALLMARK TNFA SIGNALING\nVIA NFKB'
    """
    spaced = name.replace("_", " ") if " " not in name and name.count("_") else name
    lines: list[str] = [""]
    for word in spaced.split():
        for piece in _pieces(word, width, size):
            joined = f"{lines[-1]} {piece}".strip()
            if lines[-1] and text_width(joined, size) > width:
                lines.append(piece)
            else:
                lines[-1] = joined
    if len(lines) <= _LONGEST_LINES:
        return "\n".join(lines)
    return "\n".join([*lines[: _LONGEST_LINES - 1], lines[_LONGEST_LINES - 1] + " …"])


def _pieces(word: str, width: float, size: float) -> list[str]:
    """Cut a word that is longer than a line."""
    natural = text_width(word, size)
    if natural <= width:
        return [word]
    n = max(int(width / natural * len(word)), 4)
    return [word[i : i + n] for i in range(0, len(word), n)]


def colour_limit(values: Any) -> float:
    """Where symmetric colours end: the largest size, or 1 if there is none."""
    size = np.abs(values[np.isfinite(values)])
    return float(size.max()) if size.size and size.max() > 0 else 1.0


def strength_limit(values: Any) -> float:
    """Where colours of -log10 padj end: at 10 at the farthest, so that one set hides no other.

    Nor nearer than at a padj of 0.05, so that nothing looks strong that is not significant.
    """
    return max(min(colour_limit(values), _STRONGEST), _WEAKEST)
