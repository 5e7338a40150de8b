"""The report: one HTML file of a result, complete and offline; it reads the table."""

from dex.report._write import write

__all__ = ["write"]
