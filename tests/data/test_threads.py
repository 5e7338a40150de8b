"""The pool keeps the order, stops early and respects the environment."""

import threading
import time

import numpy as np  # noqa: F401  # loads BLAS
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

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


def blas_threads():
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}


def test_blas_is_serial_inside_and_as_before_outside():
    with threadpool_limits(limits=2, user_api="blas"):
        before = blas_threads()
        inside = map_threads(lambda _: blas_threads(), range(3), n_threads=2, label="x")
        assert inside == [{1}] * 3
        with pytest.raises(ZeroDivisionError):
            map_threads(lambda i: 1 // i, [0], n_threads=1, label="x")
        assert blas_threads() == before


def test_two_callers_at_once_leave_blas_as_it_was():
    with threadpool_limits(limits=2, user_api="blas"):
        before = blas_threads()

        def work(i):
            time.sleep(0.002 * (i % 3))
            return i

        def call():
            return map_threads(work, range(20), n_threads=2, label="x")

        callers = [threading.Thread(target=call) for _ in range(4)]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join()
        assert blas_threads() == before
