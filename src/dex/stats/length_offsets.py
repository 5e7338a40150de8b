"""Offsets for genes whose transcripts differ in average length between observations [Soneson2015]_.

Counts are in proportion to the length of the transcripts they are from. Where an observation has
longer isoforms of a gene, more counts are expected of it: its counts have the offset
``log(length / typical length)`` beside the log of the effective library.

.. [Soneson2015] Soneson C, Love MI, Robinson MD (2015). Differential analyses for RNA-seq:
   transcript-level estimates improve gene-level inferences. F1000Research 4, 1521.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dex.errors import InputError

if TYPE_CHECKING:
    from dex.typing import Float


def check_lengths(lengths: Float) -> None:
    """Refuse lengths that are not positive numbers.

    Raises
    ------
    InputError
        If so.
    """
    bad = ~(np.isfinite(lengths) & (lengths > 0))
    if bad.any():
        msg = (
            f"{bad.sum()} of {bad.size} average transcript lengths are not positive numbers; fill "
            "them in with the gene's mean length, as tximport does."
        )
        raise InputError(msg)


def relative_lengths(lengths: Float) -> Float:
    """Lengths over each gene's geometric mean.

    Parameters
    ----------
    lengths
        Average transcript lengths, all observations of a block of genes, shape ``(n_obs, n_vars)``.

    Examples
    --------
    >>> relative_lengths(np.array([[1000.0], [4000.0]])).round(6).tolist()
    [[0.5], [2.0]]
    """
    check_lengths(lengths)
    logs = np.log(lengths)
    return np.asarray(np.exp(logs - logs.mean(axis=0)))


def edger_offsets(lengths: Float, effective: Float, lib_sizes: Float) -> Float:
    """Offsets of log means, as tximport and edgeR's ``scaleOffset`` have them.

    Every gene's offsets have the mean of log library sizes, so that abundances remain per million.

    Parameters
    ----------
    lengths
        Average transcript lengths, shape ``(n_obs, n_vars)``.
    effective
        Effective library sizes of the counts over relative lengths, shape ``(n_obs,)``.
    lib_sizes
        Library sizes of the counts as they are, whose scale is taken.

    Returns
    -------
    Shape ``(n_obs, n_vars)``.

    Examples
    --------
    >>> lengths = np.array([[1000.0, 500], [4000, 500]])
    >>> offsets = edger_offsets(lengths, np.array([1e6, 1e6]), np.array([1e6, 1e6]))
    >>> np.exp(offsets).round(0).tolist()
    [[500000.0, 1000000.0], [2000000.0, 1000000.0]]
    """
    logs = np.log(relative_lengths(lengths)) + np.log(effective)[:, None]
    return np.asarray(logs - logs.mean(axis=0) + np.log(lib_sizes).mean())


def normalization_factors(lengths: Float, size_factors: Float) -> Float:
    """What counts are divided by, gene by gene, as in DESeq2: geometric means over a gene are 1.

    Parameters
    ----------
    lengths
        Average transcript lengths, shape ``(n_obs, n_vars)``.
    size_factors
        Of the counts over relative lengths, shape ``(n_obs,)``.

    Returns
    -------
    Shape ``(n_obs, n_vars)``; their logs are offsets.

    Examples
    --------
    >>> lengths, size_factors = np.array([[1000.0], [4000.0]]), np.array([1.0, 1.0])
    >>> normalization_factors(lengths, size_factors).round(6).tolist()
    [[0.5], [2.0]]
    """
    factors = relative_lengths(lengths) * size_factors[:, None]
    return np.asarray(factors / np.exp(np.log(factors).mean(axis=0)))
