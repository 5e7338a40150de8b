"""Preprocessing: leave out what cannot be tested."""

from dex.pp._filter import filter_genes

__all__ = ["filter_genes"]
