"""Data to try things on: simulated counts with the truth, and real cells without a download."""

from dex.datasets._pbmc import pbmc68k
from dex.datasets._simulate import simulate_counts

__all__ = ["pbmc68k", "simulate_counts"]
