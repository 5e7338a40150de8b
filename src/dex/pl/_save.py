"""Where a figure goes: to pyplot, to the caller, to a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib as mpl
from matplotlib.backends.registry import BackendFilter, backend_registry
from matplotlib.figure import Figure

from dex.errors import InputError
from dex.pl._theme import inches

if TYPE_CHECKING:
    from os import PathLike

_FORMATS = ("png", "pdf", "svg")
_DPI = 300
_LABEL = "dex"


def check_save(save: str | PathLike[str] | None) -> Path | None:
    """Return the path to save to, before anything is drawn.

    Raises
    ------
    InputError
        If the folder is not there or the suffix is none of ``.png``, ``.pdf`` and ``.svg``.
    """
    if save is None:
        return None
    path = Path(save).expanduser()
    if path.suffix.lower().lstrip(".") not in _FORMATS:
        known = ", ".join(f".{name}" for name in _FORMATS)
        msg = f"save='{save}' does not end in one of {known}, which choose the format."
        raise InputError(msg)
    if not path.parent.is_dir():
        msg = f"save='{save}': there is no folder '{path.parent}'; make it first."
        raise InputError(msg)
    return path


def new_figure(width: float, height: float, *, own: bool, layout: str | None = None) -> Figure:
    """Make a figure of ``width`` x ``height`` mm.

    With ``own`` it belongs to the caller alone. Else it is pyplot's current figure: a notebook
    shows it when the cell ends, and ``plt.savefig`` finds it. Where nothing can be shown, a new
    figure takes the place of the last one in pyplot's list, so that a long script does not fill
    memory with them.
    """
    size = (inches(width), inches(height))
    if own:
        return Figure(figsize=size, layout=layout)  # type: ignore[arg-type]
    import matplotlib.pyplot as plt

    if can_show():
        return plt.figure(figsize=size, layout=layout)
    plt.close(_LABEL)
    return plt.figure(_LABEL, figsize=size, layout=layout)


def can_show() -> bool:
    """Whether matplotlib's backend has a window or a notebook to show figures in."""
    headless = backend_registry.list_builtin(BackendFilter.NON_INTERACTIVE)  # type: ignore[no-untyped-call]
    return mpl.get_backend().lower() not in headless


def finish(figure: Figure, path: Path | None, *, show: bool) -> None:
    """Save and show a figure, each if asked for."""
    if path is not None:
        save_figure(figure, path)
    if show and can_show():
        import matplotlib.pyplot as plt

        plt.show()


def save_figure(figure: Figure, path: Path) -> None:
    """Write ``figure`` to ``path``: the whole file, or what was there before."""
    from dex.io._atomic import atomic_path

    with atomic_path(path) as unfinished:
        figure.savefig(unfinished, format=path.suffix.lower().lstrip("."), dpi=_DPI)
