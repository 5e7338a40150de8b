"""What the user must know, one clear line at a time, through :mod:`logging`."""

from __future__ import annotations

import logging
import sys

logger = logging.getLogger("dex")


class _Speaker(logging.Handler):
    """Writes to standard error as long as the application has configured no logging of its own."""

    def emit(self, record: logging.LogRecord) -> None:
        if not logging.getLogger().handlers:
            sys.stderr.write(f"dex: {record.getMessage()}\n")


def speak() -> None:
    """Make the notes of ``dex`` heard in a plain script or notebook, once per process."""
    if not any(isinstance(handler, _Speaker) for handler in logger.handlers):
        logger.addHandler(_Speaker())
        if logger.level == logging.NOTSET:
            logger.setLevel(logging.INFO)
