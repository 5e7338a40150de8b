"""Tables out of an AnnData; nothing is computed again."""

from dex.get._expression import expression_df
from dex.get._results import params, rank_genes_df, tests_df

__all__ = ["expression_df", "params", "rank_genes_df", "tests_df"]
