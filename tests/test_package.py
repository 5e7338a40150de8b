"""What ``import dex`` gives, and what it costs."""

import logging
import subprocess
import sys

import pytest

import dex
from dex import _logging


def python(code, *, check=True):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=check)


def test_rooms_are_there_and_named():
    assert set(dir(dex)) == {"__version__", "datasets", "get", "io", "pl", "pp", "report", "tl"}
    for room in dir(dex):
        assert getattr(dex, room)


def test_unknown_attribute_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'dex' has no attribute 'nothing'"):
        _ = dex.nothing


def test_import_and_help_load_nothing_heavy():
    code = (
        "import sys, dex, dex.cli._parser; dex.cli._parser.parser().format_help();"
        "heavy = {'scanpy', 'anndata', 'pandas', 'numpy', 'matplotlib'} & set(sys.modules);"
        "assert not heavy, heavy"
    )
    python(code)


def test_public_names_have_docstrings():
    for room in ("tl", "pp", "pl", "get", "io", "datasets"):
        module = getattr(dex, room)
        for name in module.__all__:
            assert getattr(module, name).__doc__, f"dex.{room}.{name}"


def test_notes_are_heard_in_a_plain_script_and_left_to_a_configured_one():
    say = "import dex, logging; logging.getLogger('dex').info('hello')"
    assert python(say).stderr == "dex: hello\n"
    configured = python(f"import logging; logging.basicConfig(level='WARNING'); {say}")
    assert configured.stderr == "INFO:dex:hello\n"


def test_speaker_is_added_once():
    before = list(_logging.logger.handlers)
    _logging.speak()
    assert _logging.logger.handlers == before
    assert isinstance(before[0], logging.Handler)


def test_every_public_function_has_an_example_that_runs():
    for room in sorted(set(dir(dex)) - {"__version__"}):
        for name in getattr(dex, room).__all__:
            public = getattr(getattr(dex, room), name)
            if not isinstance(public, type):
                assert ">>>" in public.__doc__, f"dex.{room}.{name}"
