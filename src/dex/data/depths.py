"""What multiplies the means of a count model: one number per observation, or one per count."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from dex.data.reader import reader_for
from dex.errors import InputError
from dex.stats.length_offsets import edger_offsets, normalization_factors

if TYPE_CHECKING:
    from dex.data.blocks import GeneBlocks
    from dex.data.size_factors import Factors
    from dex.data.source import Source
    from dex.typing import Float, Int

Unit = Literal["library", "size_factor"]
"""Effective libraries, as edgeR has it, or size factors near 1, as DESeq2."""


@dataclass(frozen=True, slots=True)
class Depths:
    """Depths of the counts in ``blocks``, gene by gene where transcripts differ in length.

    With ``lengths``, ``factors`` are of the counts over relative lengths.
    """

    blocks: GeneBlocks
    factors: Factors
    unit: Unit
    lengths: Any = None
    """Average transcript lengths, of the shape of the source's matrix: dense, or backed by a file;
    None where they do not differ between observations."""

    @property
    def shared(self) -> Float:
        """Without lengths, shape ``(n_obs,)``."""
        return self.factors.effective if self.unit == "library" else self.factors.size_factors

    def of(self, place: slice | Int) -> Float:
        """Of the genes at ``place`` (sorted) among those of ``blocks``.

        Shape ``(n_obs,)``, or ``(n_obs, n_genes)`` with lengths: for libraries the exponentials of
        edgeR's offsets, for size factors DESeq2's normalisation factors.
        """
        if self.lengths is None:
            return self.shared
        lengths = reader_for(self.lengths, self.blocks.rows).read(self.blocks.genes[place])
        if self.unit == "size_factor":
            return normalization_factors(lengths, self.factors.size_factors)
        return np.exp(edger_offsets(lengths, self.factors.effective, self.factors.lib_sizes))


def check_lengths_shape(lengths: Any, source: Source) -> None:
    """Refuse lengths of another table.

    Raises
    ------
    InputError
        If they are not observations x genes of the source.
    """
    shape = (len(source.obs_names), len(source.var_names))
    if tuple(lengths.shape) != shape:
        msg = f"the lengths have the shape {tuple(lengths.shape)}, the counts {shape}."
        raise InputError(msg)
