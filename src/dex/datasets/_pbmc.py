"""The blood cells that come with scanpy."""

from __future__ import annotations

import numpy as np
from anndata import AnnData
from scipy.sparse import csr_matrix

_COLORS = ("bulk_labels_colors", "louvain_colors")


def pbmc68k() -> AnnData:
    """700 blood cells and 765 genes, log-normalised, from the files of scanpy [Zheng2017]_.

    scanpy's ``pbmc68k_reduced`` keeps z-scores in ``X`` and the log-normalised values in ``.raw``;
    here the latter are ``X``. There is no download.

    Returns
    -------
    AnnData
        ``X`` holds ln(1 + normalised count), CSR, float32, shape ``(700, 765)``; ``obs`` among
        others ``bulk_labels`` (cell types), ``louvain`` and ``phase``; ``obsm`` ``X_pca`` and
        ``X_umap``; ``uns["log1p"]["base"]`` is None, as scanpy marks natural logarithms.

    References
    ----------
    .. [Zheng2017] Zheng et al. (2017). Massively parallel digital transcriptional profiling of
       single cells. Nature Communications 8, 14049.

    Examples
    --------
    >>> import dex
    >>> adata = dex.datasets.pbmc68k()
    >>> adata.shape
    (700, 765)
    >>> adata.obs["bulk_labels"].value_counts().index[0]
    'Dendritic'
    """
    import scanpy as sc

    bundled = sc.datasets.pbmc68k_reduced()
    return AnnData(
        csr_matrix(bundled.raw.X, dtype=np.float32),
        obs=bundled.obs.rename_axis(index=None),
        var=bundled.raw.var.rename_axis(index=None),
        obsm={name: bundled.obsm[name] for name in ("X_pca", "X_umap")},
        uns={"log1p": {"base": None}, **{name: bundled.uns[name] for name in _COLORS}},
    )
