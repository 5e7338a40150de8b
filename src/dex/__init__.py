"""Which genes change? Differential expression inside AnnData.

The rooms are imported when they are first used, so that ``dex --help`` answers at once::

    dex.io.read_counts     files in            dex.pl.volcano         pictures
    dex.pp.normalize       preprocessing       dex.get.rank_genes_df  tables
    dex.tl.rank_genes      the one door        dex.report.write       the report
    dex.datasets           data to try it on
"""

from __future__ import annotations

from importlib import import_module, metadata
from typing import TYPE_CHECKING

from dex import _logging

if TYPE_CHECKING:
    from types import ModuleType

    from dex import datasets, get, io, pl, pp, report, tl

__all__ = ["__version__", "datasets", "get", "io", "pl", "pp", "report", "tl"]

_ROOMS = frozenset(__all__) - {"__version__"}

_logging.speak()


def __getattr__(name: str) -> ModuleType | str:
    if name == "__version__":
        return metadata.version("dex-de")
    if name in _ROOMS:
        return import_module(f"dex.{name}")
    msg = f"module 'dex' has no attribute {name!r}"
    raise AttributeError(msg)


def __dir__() -> list[str]:
    return __all__
