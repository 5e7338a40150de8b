"""The tools: rank genes."""

from dex.results import refresh_view
from dex.tl._rank_genes import rank_genes

__all__ = ["rank_genes", "refresh_view"]
