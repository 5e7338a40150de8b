"""Pictures of a result: they draw what :mod:`dex.get` returns, and compute no statistic."""

from dex.pl._calibration import calibration
from dex.pl._calibration_curve import calibration_curve
from dex.pl._compare import compare
from dex.pl._confusion import confusion
from dex.pl._consensus import consensus
from dex.pl._cooks import cooks
from dex.pl._dispersion import dispersion
from dex.pl._enrich_bar import enrich_bar
from dex.pl._enrich_dotplot import enrich_dotplot
from dex.pl._enrich_map import enrich_map
from dex.pl._enrich_network import enrich_network
from dex.pl._enrich_ridge import enrich_ridge
from dex.pl._expression import expression
from dex.pl._gap import gap
from dex.pl._heatmap import heatmap
from dex.pl._importance import importance
from dex.pl._leading_edge import leading_edge
from dex.pl._ma import ma
from dex.pl._mds import mds
from dex.pl._mean_variance import mean_variance
from dex.pl._modules import modules
from dex.pl._panel_size import panel_size, stability
from dex.pl._pca import pca
from dex.pl._permutation_null import permutation_null
from dex.pl._priorities import priorities
from dex.pl._pvalues import pvalues
from dex.pl._roc import precision_recall, roc
from dex.pl._running_score import running_score
from dex.pl._sample_distances import sample_distances
from dex.pl._volcano import volcano

__all__ = [
    "calibration",
    "calibration_curve",
    "compare",
    "confusion",
    "consensus",
    "cooks",
    "dispersion",
    "enrich_bar",
    "enrich_dotplot",
    "enrich_map",
    "enrich_network",
    "enrich_ridge",
    "expression",
    "gap",
    "heatmap",
    "importance",
    "leading_edge",
    "ma",
    "mds",
    "mean_variance",
    "modules",
    "panel_size",
    "pca",
    "permutation_null",
    "precision_recall",
    "priorities",
    "pvalues",
    "roc",
    "running_score",
    "sample_distances",
    "stability",
    "volcano",
]
