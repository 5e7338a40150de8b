"""What is measured: which matrix, on what scale, read in blocks of genes."""

from dex.data.expression import Expression
from dex.data.scale import Scale
from dex.data.source import Source

__all__ = ["Expression", "Scale", "Source"]
