"""The methods of normalisation, and which of them a matrix calls for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from dex.data import Scale
from dex.design.wording import did_you_mean, listed
from dex.errors import InputError
from dex.pp._stabilise import STABILISED

if TYPE_CHECKING:
    from collections.abc import Callable

    from dex.data import Source
    from dex.typing import Float

_COUNTS = frozenset({Scale.COUNTS})
_LINEAR = frozenset({Scale.COUNTS, Scale.LINEAR})
_SCALED, _CPM = "counts over size factors", "counts per million"
_RPKM = "counts per kilobase and million"
_LOGS = frozenset(scale for scale in Scale if scale.is_log)


def _itself(scaled: Float) -> Float:
    return scaled


def _log2p1(scaled: Float) -> Float:
    return np.log2(1 + scaled)


@dataclass(frozen=True, slots=True)
class Method:
    """One way to make counts comparable."""

    name: str
    words: str
    """What the layer then holds."""
    gives: Scale
    size_factors: str | None
    """What is divided by unless others are asked for; None is nothing."""
    function: Callable[[Float], Float] | None = None
    """Of counts over size factors, leaving 0 as it is; None where zeros do not stay."""
    per_million: bool = False
    """Whether it divides by effective libraries in millions, not by factors near 1."""


METHODS: Final = {
    method.name: method
    for method in (
        Method("log1p", f"log1p of {_SCALED}", Scale.LN1P, "library", np.log1p),
        Method("log2", "log2(x + 1)", Scale.LOG2P1, None, _log2p1),
        Method("cpm", _CPM, Scale.LINEAR, "library", _itself, per_million=True),
        Method("logcpm", f"log2 {_CPM}", Scale.LOGCPM, "library", per_million=True),
        Method("median_ratio", _SCALED, Scale.LINEAR, "median_ratio", _itself),
        Method("poscounts", _SCALED, Scale.LINEAR, "poscounts", _itself),
        Method("rpkm", _RPKM, Scale.LINEAR, "library", _itself, per_million=True),
        Method("tmm", _CPM, Scale.LINEAR, "tmm", _itself, per_million=True),
        *(Method(name, words, Scale.LOG2, "median_ratio") for name, words in STABILISED.items()),
    )
}
"""Methods of counts, by name."""

OF_LOGS: Final = {
    "quantile": "quantile-normalised",
    "cyclic_loess": "cyclic-loess-normalised",
    "zscore": "z-scores of",
}
"""Methods of logs, and how they are called in front of what they are made from."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """The steps from a source to a layer."""

    method: str
    """Name of the last step."""
    counts: Method | None
    """The first step; None where logs are taken as they are."""
    size_factors: str | None
    """A method, or a column of ``obs``."""
    gives: Scale
    notes: tuple[str, ...] = ()

    @classmethod
    def from_source(cls, source: Source, method: str, size_factors: str | None) -> Recipe:
        """Choose the steps; what is ``"auto"`` is what ``rank_genes`` tests by itself."""
        if method in METHODS:
            chosen = METHODS[method]
            return cls(method, chosen, size_factors or chosen.size_factors, chosen.gives)
        if method in {"quantile", "cyclic_loess"}:
            first, default = _before_quantiles(source)
            return cls(method, first, size_factors or default, Scale.LOG2)
        if method == "zscore":
            first, default = _automatic(source)
            return cls(method, first, size_factors or default, Scale.ZSCORE)
        first, default = _automatic(source)
        assert first is not None  # takes() leaves out the logs
        what = source.unit if source.scale is Scale.COUNTS else "linear values"
        note = f"method='auto': these are {what}, so {first.name}."
        return cls(first.name, first, size_factors or default, first.gives, (note,))

    @property
    def words(self) -> str:
        """What the layer will hold, in messages."""
        first = "" if self.counts is None else self.counts.words
        if self.method not in OF_LOGS:
            return f"{first} of"
        return f"{OF_LOGS[self.method]} {first} of" if first else OF_LOGS[self.method]


def _automatic(source: Source) -> tuple[Method | None, str | None]:
    """Step from a source to logs, and its size factors."""
    if source.scale is not Scale.COUNTS:
        return (METHODS["log2"] if source.scale is Scale.LINEAR else None), None
    return (METHODS["log1p"], "library") if source.unit == "cells" else (METHODS["logcpm"], "tmm")


def _before_quantiles(source: Source) -> tuple[Method | None, str | None]:
    """The same, by libraries as they are: their quantiles are normalised afterwards."""
    return (METHODS["logcpm"], "library") if source.scale is Scale.COUNTS else _automatic(source)


def scales_taken(method: str, size_factors: str | None) -> frozenset[Scale]:
    """Scales that a method can start from, given that size factors are asked for or are not."""
    if size_factors is not None or method not in {"auto", "log2", *OF_LOGS}:
        return _COUNTS
    return _LINEAR | _LOGS if method in OF_LOGS else _LINEAR


def check_method(method: str, size_factors: object) -> None:
    """Refuse a method that there is not, and size factors for a method that has its own.

    Raises
    ------
    InputError
        If so.
    """
    known = ["auto", *METHODS, *OF_LOGS]
    if method not in known:
        msg = f"method={method!r} is not known; it is one of {listed(known)}."
        raise InputError(msg + did_you_mean(method, known))
    if size_factors is None:
        return
    if not isinstance(size_factors, str):
        msg = "size_factors= is a name; put factors of your own into a column of obs and name it."
        raise InputError(msg)
    if method in {"median_ratio", "poscounts", "tmm"} and size_factors != method:
        msg = (
            f"method={method!r} is the name of its size factors, and size_factors={size_factors!r} "
            "are others; take method='cpm', 'log1p' or 'log2' with them."
        )
        raise InputError(msg)
