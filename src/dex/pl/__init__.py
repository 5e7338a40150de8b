"""Pictures of a result: they draw what :mod:`dex.get` returns, and compute no statistic."""

from dex.pl._heatmap import heatmap
from dex.pl._volcano import volcano

__all__ = ["heatmap", "volcano"]
