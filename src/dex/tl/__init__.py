"""The tools: rank genes, fit and test, score markers, test gene sets."""

from dex.results import refresh_view
from dex.tl._classify import classify
from dex.tl._cluster import cluster
from dex.tl._conserved_markers import conserved_markers
from dex.tl._contrast import contrast
from dex.tl._enrich import enrich
from dex.tl._fit import fit
from dex.tl._mds import mds
from dex.tl._modules import modules
from dex.tl._pca import pca
from dex.tl._predict import predict
from dex.tl._prioritize import prioritize
from dex.tl._rank_genes import rank_genes
from dex.tl._regress import regress
from dex.tl._score_markers import score_markers
from dex.tl._score_sets import score_sets
from dex.tl._signature import signature

__all__ = [
    "classify",
    "cluster",
    "conserved_markers",
    "contrast",
    "enrich",
    "fit",
    "mds",
    "modules",
    "pca",
    "predict",
    "prioritize",
    "rank_genes",
    "refresh_view",
    "regress",
    "score_markers",
    "score_sets",
    "signature",
]
