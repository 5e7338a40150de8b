"""Every parameter, and the versions of what computed."""

from __future__ import annotations

import platform
from importlib import metadata
from typing import TYPE_CHECKING, Any

import numpy as np

from dex.report._html import NOTHING, Html, element, join, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dex.report._ranking import Ranking

_PACKAGES = ("dex-de", "anndata", "scanpy", "numpy", "pandas", "scipy", "statsmodels", "matplotlib")
_LONGEST = 400


def parameters_html(rankings: Sequence[Ranking]) -> Html:
    """Return a table of the parameters of every result, and one of versions."""
    parts = [
        table(
            ("Parameter", "Value"),
            [(name, _shown(value)) for name, value in sorted(ranking.params.items())],
            caption=f"Parameters of {ranking.key}",
        )
        for ranking in rankings
    ]
    return join((*parts, _versions(rankings)))


def _versions(rankings: Sequence[Ranking]) -> Html:
    """Versions that made the results, beside those that made this page."""
    made = [ranking.stored.entry.get("versions", {}) for ranking in rankings]
    header = ("Package", *(f"{ranking.key} made with" for ranking in rankings), "this report")
    rows = [
        (
            package,
            *(str(versions.get(package, NOTHING)) for versions in made),
            metadata.version(package),
        )
        for package in _PACKAGES
    ]
    blank = [NOTHING] * len(rankings)
    rows.append(("python", *blank, platform.python_version()))
    return join((table(header, rows, caption="Versions"),))


def _shown(value: Any) -> Html:
    if isinstance(value, np.ndarray):
        value = value.tolist()
    words = str(value)
    return element("code", words if len(words) <= _LONGEST else f"{words[:_LONGEST]} ...")
