"""Preprocessing: leave out what cannot be tested, and make the rest comparable."""

from dex.pp._batch import remove_batch_effect
from dex.pp._filter import filter_genes
from dex.pp._normalize import normalize
from dex.pp._pseudobulk import pseudobulk
from dex.pp._split import split_counts

__all__ = ["filter_genes", "normalize", "pseudobulk", "remove_batch_effect", "split_counts"]
