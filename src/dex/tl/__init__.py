"""The tools: rank genes."""

from dex.results import refresh_view
from dex.tl._mds import mds
from dex.tl._pca import pca
from dex.tl._rank_genes import rank_genes

__all__ = ["mds", "pca", "rank_genes", "refresh_view"]
