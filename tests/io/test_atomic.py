"""Writing whole or not at all: whatever dies midway, the old file stays."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time

import pytest

from dex.errors import InputError
from dex.io._atomic import atomic_path

SECONDS_TO_START = 60.0  # for a second interpreter on a busy machine


@pytest.fixture
def old(tmp_path):
    path = tmp_path / "table.csv.gz"
    path.write_text("old")
    return path


def write(path, error, into=None):
    """Die while writing ``path``, or a file of that name in the folder ``into``."""
    with atomic_path(into or path) as temporary:
        if into:
            temporary.mkdir()
        (temporary / path.name if into else temporary).write_text("half of the n")
        raise error


def test_the_new_file_takes_the_place_of_the_old(old):
    with atomic_path(old) as temporary:
        assert temporary.parent == old.parent
        assert temporary.suffixes == old.suffixes
        temporary.write_text("new")
        assert old.read_text() == "old"
    assert old.read_text() == "new"
    assert list(old.parent.iterdir()) == [old]


@pytest.mark.parametrize(
    "error", [RuntimeError("died"), OSError(errno.ENOSPC, "No space left"), KeyboardInterrupt()]
)
def test_a_failure_leaves_the_old_file_alone(old, error):
    with pytest.raises(type(error)):
        write(old, error)
    assert old.read_text() == "old"
    assert list(old.parent.iterdir()) == [old]


def test_a_full_disk_at_the_last_moment(old, monkeypatch):
    def no_space(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(OSError, match="No space left"), atomic_path(old) as temporary:
        temporary.write_text("new")
    assert old.read_text() == "old"
    assert list(old.parent.iterdir()) == [old]


def test_a_writer_that_wrote_nothing(old):
    with pytest.raises(FileNotFoundError), atomic_path(old):
        pass
    assert old.read_text() == "old"


def test_a_kill_leaves_the_old_file_alone(old):
    code = (
        "import sys, time\n"
        "from dex.io._atomic import atomic_path\n"
        "with atomic_path(sys.argv[1]) as temporary, temporary.open('w') as stream:\n"
        "    stream.write('half of the n')\n"
        "    stream.flush()\n"
        "    time.sleep(600)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(old)]) as process:
        deadline = time.monotonic() + SECONDS_TO_START
        while len(list(old.parent.iterdir())) == 1 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert len(list(old.parent.iterdir())) == 2
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    assert old.read_text() == "old"


def test_a_folder(tmp_path):
    target = tmp_path / "store.zarr"
    for content in ("first", "second"):
        with atomic_path(target) as temporary:
            temporary.mkdir()
            (temporary / content).write_text(content)
        assert [entry.name for entry in target.iterdir()] == [content]
    with pytest.raises(RuntimeError):
        write(target / "third", RuntimeError("died"), into=target)
    assert [entry.name for entry in target.iterdir()] == ["second"]
    assert list(tmp_path.iterdir()) == [target]


def test_a_file_does_not_replace_a_folder(tmp_path):
    (tmp_path / "store").mkdir()
    with pytest.raises(InputError, match="is a folder"), atomic_path(tmp_path / "store") as path:
        path.write_text("new")
    assert [entry.name for entry in tmp_path.iterdir()] == ["store"]


def test_missing_parent_folder(tmp_path):
    with (
        pytest.raises(InputError, match=r"create the folder '.*nowhere' first"),
        atomic_path(tmp_path / "nowhere" / "table.csv"),
    ):
        pytest.fail("the block must not run")


def test_permissions_and_links_stay(old):
    old.chmod(0o640)
    link = old.with_name("link.csv.gz")
    link.symlink_to(old)
    with atomic_path(link) as temporary:
        temporary.write_text("new")
    assert link.is_symlink()
    assert old.read_text() == "new"
    assert old.stat().st_mode & 0o777 == 0o640


def test_a_relative_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with atomic_path("table.csv") as temporary:
        temporary.write_text("new")
    assert (tmp_path / "table.csv").read_text() == "new"
