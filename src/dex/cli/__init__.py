"""The command line: ``dex demo``, ``dex run`` and ``dex rank-genes``."""

from dex.cli._main import main

__all__ = ["main"]
