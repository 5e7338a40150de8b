"""Arrays inside the page: planes of bytes, gzip, base64."""

from __future__ import annotations

import base64
import gzip
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from dex.report._html import Html, element, join, printable

if TYPE_CHECKING:
    from collections.abc import Sequence

_LEVEL = 6


@dataclass(slots=True)
class Arrays:
    """The arrays of a page; one that comes twice, as the means of all tests, is kept once.

    A number is a word of 32 bits. Its first bytes come first, those of all words, then the
    second ones: so like lies by like, and gzip finds it. ``planes`` bytes of a word are kept.
    """

    elements: dict[str, Html] = field(default_factory=dict)
    """By their payload."""

    def floats(self, values: np.ndarray[Any, Any], *, planes: int) -> str:
        """Add Float32 values, ``planes`` 4, or rounded to 16 binary digits, ``planes`` 3."""
        words = np.asarray(values, dtype=np.float32).view(np.uint32)
        if planes == 3:
            finite = np.isfinite(values)
            words = np.where(finite, words + np.uint32(0x80), words)  # to nearest
        return self._add(_planes(words, planes), kind="float", planes=planes)

    def integers(self, values: np.ndarray[Any, Any]) -> str:
        """Add Int32 values."""
        words = np.asarray(values, dtype=np.int32).view(np.uint32)
        return self._add(_planes(words, 4), kind="int", planes=4)

    def strings(self, values: Sequence[str]) -> str:
        """Add a list of strings."""
        plain = json.dumps([printable(value) for value in values], separators=(",", ":"))
        return self._add(plain.encode(), kind="text", planes=1)

    def html(self) -> Html:
        """Return the script elements that hold them."""
        return join(self.elements.values(), "\n")

    @property
    def n_bytes(self) -> int:
        """Size of all of them in the page."""
        return sum(map(len, self.elements.values()))

    def _add(self, raw: bytes, *, kind: str, planes: int) -> str:
        """Return the id of the element that holds ``raw``."""
        payload = base64.b64encode(gzip.compress(raw, _LEVEL, mtime=0)).decode()
        known = f"{kind}{planes}{payload}"
        names = list(self.elements)
        if known in self.elements:
            return f"a{names.index(known)}"
        name = f"a{len(names)}"
        self.elements[known] = element(
            "script",
            Html(payload),
            type="application/octet-stream",
            id=name,
            data_kind=kind,
            data_planes=planes,
        )
        return name


def _planes(words: np.ndarray[Any, Any], planes: int) -> bytes:
    big_endian = words.astype(">u4").view(np.uint8).reshape(-1, 4)
    return np.ascontiguousarray(big_endian[:, :planes].T).tobytes()
