"""Tests of Ctrl-C that a callback of C code would drop."""

import contextlib
import os
import signal

import pytest

from spheroid_jax.runtime import interrupts


def test_a_dropped_interrupt_is_raised_again():
    with interrupts.remembered() as check:
        check()
        # Dropped, as by Python where a callback of C code is running.
        with contextlib.suppress(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            check()


def test_the_handler_before_comes_back():
    before = signal.getsignal(signal.SIGINT)
    with interrupts.remembered():
        assert signal.getsignal(signal.SIGINT) is not before
    assert signal.getsignal(signal.SIGINT) is before
