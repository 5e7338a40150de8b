"""Writing a file whole or not at all."""

from __future__ import annotations

import os
import secrets
import shutil
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from dex.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a path to write to, which takes the place of ``path`` when the block ends well.

    What the block has written, a file or a folder, lies beside ``path`` under a hidden name that
    ends like the final one. If the block raises, it is removed and what was at ``path`` is as it
    was. A file is on the disk before it takes its place, in one step; a folder takes two, and the
    old folder comes back if the second fails. After a kill the leftover may be deleted by hand.

    Raises
    ------
    InputError
        The folder to write into does not exist, or ``path`` is a folder where a file was written.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     with atomic_path(Path(folder) / "table.csv") as temporary:
    ...         _ = temporary.write_text("done")
    ...     [entry.name for entry in Path(folder).iterdir()]
    ['table.csv']
    """
    target = Path(path).resolve()  # a link stays a link: what it points to is replaced
    if not target.parent.is_dir():
        msg = f"'{path}' cannot be written: create the folder '{Path(path).parent}' first."
        raise InputError(msg)
    temporary = target.with_name(f".{secrets.token_hex(4)}-{target.name}")
    try:
        yield temporary
        _take_place(temporary, target)
    except BaseException:
        _remove(temporary)
        raise


def _take_place(temporary: Path, target: Path) -> None:
    if temporary.is_dir():
        _replace_folder(temporary, target)
        return
    if target.is_dir():
        msg = f"'{target}' is a folder; a file cannot take its place. Choose another name."
        raise InputError(msg)
    if target.exists():
        shutil.copymode(target, temporary)
    _sync(temporary)
    os.replace(temporary, target)  # noqa: PTH105 - the one call known to be atomic, by its name
    _sync(target.parent)


def _replace_folder(temporary: Path, target: Path) -> None:
    aside = temporary.with_name(f"{temporary.name}.old")
    if target.exists():
        target.rename(aside)
    try:
        temporary.rename(target)
    except BaseException:
        if aside.exists():
            aside.rename(target)
        raise
    _remove(aside)


def _sync(path: Path) -> None:
    with suppress(PermissionError):  # Windows opens no folder
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
