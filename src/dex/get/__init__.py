"""Tables out of an AnnData; nothing is computed again."""

from dex.get._calibration import calibration_df
from dex.get._clusters import consensus_df, gap_df
from dex.get._compare import compare_df
from dex.get._enrichment import enrich_df, enrich_params, gene_sets
from dex.get._expression import expression_df, obs_df
from dex.get._fit import fit_df
from dex.get._learning import metrics_df, signature_df
from dex.get._modules import eigengenes_df, modules_df
from dex.get._on_target import on_target_df
from dex.get._ordination import distances_df, loadings_df, mds_df, pca_df
from dex.get._priorities import priorities_df
from dex.get._pvalues import PvalueShape, pvalue_shape
from dex.get._results import params, rank_genes_df, tests_df
from dex.get._running import ranked_genes_df, running_score_df

__all__ = [
    "PvalueShape",
    "calibration_df",
    "compare_df",
    "consensus_df",
    "distances_df",
    "eigengenes_df",
    "enrich_df",
    "enrich_params",
    "expression_df",
    "fit_df",
    "gap_df",
    "gene_sets",
    "loadings_df",
    "mds_df",
    "metrics_df",
    "modules_df",
    "obs_df",
    "on_target_df",
    "params",
    "pca_df",
    "priorities_df",
    "pvalue_shape",
    "rank_genes_df",
    "ranked_genes_df",
    "running_score_df",
    "signature_df",
    "tests_df",
]
