"""Arguments in, exit code out; the work is imported only when a command has been chosen."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from dex.cli._parser import parser
from dex.errors import DexError

if TYPE_CHECKING:
    from collections.abc import Sequence

_INPUT_ERROR = 2  # as argparse's
_INTERRUPTED = 130  # 128 + SIGINT, as shells have it


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    arguments
        Words after ``dex``; by default those of the process.

    Returns
    -------
    0, or 2 if the input cannot be used (one line on standard error says why), or 130 after Ctrl-C.
    """
    options = vars(parser().parse_args(arguments))
    command = options.pop("command")
    try:
        _run(command, options)
    except (DexError, OSError) as error:
        sys.stderr.write(f"dex {command}: error: {error}\n")
        return _INPUT_ERROR
    except KeyboardInterrupt:
        sys.stderr.write(f"dex {command}: interrupted; no file was half written\n")
        return _INTERRUPTED
    return 0


def _run(command: str, options: dict[str, object]) -> None:
    import matplotlib as mpl

    from dex.cli import _commands

    mpl.use("agg")
    _commands.COMMANDS[command](**options)
