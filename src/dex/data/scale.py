"""The scale of a matrix: counts, logs or z-scores, declared or told from its values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from dex.errors import InputError

if TYPE_CHECKING:
    from dex.typing import Float

LAYERS_KEY: Final = "dex_layers"
"""``uns`` key where every matrix that dex writes has its scale recorded; ``X`` stands for X."""


class Scale(StrEnum):
    """What the numbers of a matrix are."""

    COUNTS = "counts"
    """Reads or molecules, perhaps estimated (not integers), not normalised."""
    LINEAR = "linear"
    """Normalised for library size, not logged: CPM, TPM, counts per median."""
    LN1P = "ln1p"
    """Natural log of 1 + linear: scanpy's ``log1p``."""
    LOG2P1 = "log2p1"
    """log2 of 1 + linear."""
    LOGCPM = "logcpm"
    """log2 of counts per million, a prior count added: edgeR's ``cpm(log=TRUE)``."""
    LOG2 = "log2"
    """log2 of linear, however offset."""
    ZSCORE = "zscore"
    """Centred and scaled per gene."""
    SIGNED = "signed"
    """Negative values of unknown meaning."""

    @property
    def words(self) -> str:
        """What a matrix of this scale holds, in messages."""
        if self in {Scale.COUNTS, Scale.ZSCORE}:
            return {"counts": "counts", "zscore": "z-scores"}[self]
        return f"logs ({self})" if self.is_log else f"{self} values"

    @property
    def is_log(self) -> bool:
        """Whether differences on this scale are log fold changes."""
        return self in _LOGS

    @property
    def keeps_zero(self) -> bool:
        """Whether a count of zero is a zero on this scale."""
        return self in {Scale.COUNTS, Scale.LINEAR, Scale.LN1P, Scale.LOG2P1}

    @property
    def log2_per_unit(self) -> float:
        """log2 fold change that a difference of one stands for; NaN on a scale without logs."""
        if not self.is_log:
            return float("nan")
        return 1 / np.log(2) if self is Scale.LN1P else 1.0

    def to_linear(self, values: Float) -> Float:
        """Undo the log; counts and linear values are returned as they are, z-scores as NaN."""
        match self:
            case Scale.COUNTS | Scale.LINEAR:
                return values
            case Scale.LN1P:
                return np.expm1(values)
            case Scale.LOG2P1:
                return np.exp2(values) - 1
            case Scale.LOG2 | Scale.LOGCPM:
                return np.exp2(values)
            case _:
                return np.full_like(values, np.nan)


_LOGS = frozenset({Scale.LN1P, Scale.LOG2P1, Scale.LOGCPM, Scale.LOG2})
_LARGEST_LOG = 30.0  # log2 of a billion counts
_LARGEST_MULTIPLE = 10.5  # beyond, the rounding of logs to three digits blurs whole numbers
_FEWEST_MULTIPLES = 2  # per observation: fewer are no evidence
_NEAR_WHOLE = 0.05
_MOSTLY = 0.95  # of continuous values a tenth would be so near
_SAME_TOTAL = 1e-3  # spread of the totals of normalised rows, float32 and rounding included


@dataclass(frozen=True, slots=True)
class Detected:
    """A scale, and the sentence that says how it was told."""

    scale: Scale
    note: str = ""


def declared_scale(uns: Any, layer: str | None) -> Scale | None:
    """Scale that a layer's writer has recorded in ``uns``, if it has."""
    record = uns.get(LAYERS_KEY, {}).get(layer or "X", {})
    return Scale(record["scale"]) if "scale" in record else None


def detect_scale(sample: Float, uns: Any, *, layer: str | None, unit: str) -> Detected:
    """Tell the scale from a sample of rows (``(n_sampled, n_vars)``) and from scanpy's record.

    ``unit`` settles the base of logs that nothing else tells: scanpy's natural log for cells,
    log2 for samples.
    """
    if all(_are_whole(row) for row in sample):
        return Detected(Scale.COUNTS)  # if some are negative, reading them says which
    values = sample[np.isfinite(sample)]
    if values.min() < 0:
        return Detected(_negative_scale(sample))
    where = "X" if layer is None else f"layers[{layer!r}]"
    if _have_equal_totals(sample):
        return Detected(Scale.LINEAR)
    if values.max() > _LARGEST_LOG:
        return _linear_or_estimated(sample, where)
    base = (_recorded_base(uns) if layer is None else None) or _base_of_counts(sample)
    if base is not None:
        return Detected(base)
    guess = Scale.LN1P if unit == "cells" else Scale.LOG2P1
    other = Scale.LOG2P1 if guess is Scale.LN1P else Scale.LN1P
    return Detected(
        guess, f"{where} looks logged, base unknown: taken as {guess} (else say scale='{other}')."
    )


def _are_whole(row: Float) -> bool:
    finite = row[np.isfinite(row)]
    return np.array_equal(finite, np.rint(finite))


def _linear_or_estimated(sample: Float, where: str) -> Detected:
    """Counts over size factors are whole multiples of one count; estimated counts are not."""
    one = one_count(sample)
    if one is not None and not np.isclose(one, 1, rtol=0.01):
        return Detected(Scale.LINEAR)
    return Detected(
        Scale.COUNTS,
        f"{where} holds values that are neither whole nor logs: taken as estimated counts "
        "(else say scale='linear').",
    )


def _negative_scale(sample: Float) -> Scale:
    """z-scores have columns of mean 0 and s.d. 1, up to clipping and to a sample of the rows."""
    if len(sample) < 3:
        return Scale.SIGNED
    mean, sd = np.nanmean(sample, axis=0), np.nanstd(sample, axis=0)
    varies = sd > 0
    centred = np.nanmedian(np.abs(mean)) < 0.2
    return Scale.ZSCORE if centred and np.median(sd[varies]) < 1.5 else Scale.SIGNED


def _recorded_base(uns: Any) -> Scale | None:
    """Base of the log in ``X`` that scanpy's ``pp.log1p`` has recorded."""
    if "log1p" not in uns:
        return None
    base = uns["log1p"].get("base")  # scanpy's None, which older h5ad files drop, is e
    if base is None or np.isclose(base, np.e):
        return Scale.LN1P
    if np.isclose(base, 2):
        return Scale.LOG2P1
    msg = (
        f"uns['log1p'] says that X holds logs of base {base:g}; dex reads natural and base 2 logs, "
        f"so multiply X by log2({base:g}) and say scale='log2p1'."
    )
    raise InputError(msg)


def _base_of_counts(sample: Float) -> Scale | None:
    """The base whose undoing gives equal totals, or whole multiples of one count."""
    for scale in (Scale.LN1P, Scale.LOG2P1):
        linear = scale.to_linear(sample)
        if _have_equal_totals(linear) or one_count(linear) is not None:
            return scale
    return None


def one_count(linear: Float) -> float | None:
    """One count of a typical observation, where values are counts over size factors; else None.

    It is the smallest positive value of an observation, in the median over observations, if the
    small values of the same observation are whole multiples of it.
    """
    smallest = np.where(linear > 0, linear, np.inf).min(axis=1, keepdims=True)
    multiples = linear / smallest
    small = multiples[(multiples > 1.5) & (multiples < _LARGEST_MULTIPLE)]
    near = np.abs(small - np.rint(small)) < _NEAR_WHOLE
    if len(small) < _FEWEST_MULTIPLES * len(linear) or near.mean() < _MOSTLY:
        return None
    typical = float(np.median(smallest[np.isfinite(smallest)]))
    same_everywhere = np.ptp(smallest[np.isfinite(smallest)]) < _SAME_TOTAL * typical
    # Size factors differ. What is the same everywhere is 1, or how the values were rounded.
    return None if same_everywhere and not np.isclose(typical, 1, rtol=0.01) else typical


def _have_equal_totals(linear: Float) -> bool:
    totals = np.nansum(linear, axis=1)
    return len(totals) > 2 and bool(totals.std() < _SAME_TOTAL * totals.mean())
