"""The pool keeps the order, stops early and respects the environment."""

import threading
import time

import pytest

from dex.data.threads import map_threads, thread_count
from dex.errors import InputError


def test_results_come_in_the_order_of_the_pieces():
    def slow_first(i):
        time.sleep(0.05 if i == 0 else 0)
        return i * i

    assert map_threads(slow_first, range(6), n_threads=3, label="x") == [0, 1, 4, 9, 16, 25]


def test_no_pieces_give_no_results():
    assert map_threads(lambda piece: piece, [], n_threads=2, label="x") == []


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_exception_drops_the_pieces_that_have_not_begun(error):
    begun = []

    def work(i):
        begun.append(i)
        if i == 0:
            raise error
        time.sleep(0.01)

    with pytest.raises(error):
        map_threads(work, range(1000), n_threads=2, label="x")
    assert len(begun) < 100
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("dex")]


def test_thread_count_respects_the_environment(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setenv("NUMBA_NUM_THREADS", "1")
    assert thread_count(None) == 1
    assert thread_count(7) == 7
    monkeypatch.setenv("NUMBA_NUM_THREADS", "many")
    assert thread_count(None) >= 1


def test_zero_threads_are_refused():
    with pytest.raises(InputError, match=r"n_threads=0 .* give 1 or more, or None"):
        thread_count(0)
