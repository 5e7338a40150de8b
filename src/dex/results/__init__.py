"""The table of results: to and from ``adata.varm``, ``var`` and ``uns``."""

from dex.results.schema import COLUMNS, Status
from dex.results.store import Result
from dex.results.stored import StoredResult
from dex.results.table import results_frame
from dex.results.view import refresh_view

__all__ = [
    "COLUMNS",
    "Result",
    "Status",
    "StoredResult",
    "refresh_view",
    "results_frame",
]
