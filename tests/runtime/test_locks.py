"""Tests of file locks."""

import signal
import subprocess
import sys

import pytest

from spheroid_jax.runtime import locks

HOLD = """
import sys, time
from spheroid_jax.runtime import locks
with locks.locked(sys.argv[1], "busy"):
    print("held", flush=True)
    time.sleep(60)
"""
TRY = """
import sys
from spheroid_jax.runtime import locks
with locks.locked(sys.argv[1], "another run uses this folder"):
    print("got it")
"""
WAIT = """
import sys
from spheroid_jax.runtime import locks
print("waiting", flush=True)
with locks.locked(sys.argv[1], None):
    print("got it")
"""


def python(code, path):
    return [sys.executable, "-c", code, str(path)]


@pytest.fixture
def holder(tmp_path):
    """Starts another process that holds the lock tmp_path / "lock"."""
    with subprocess.Popen(
        python(HOLD, tmp_path / "lock"), stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_another_process_is_refused_with_the_message(tmp_path):
    with locks.locked(tmp_path / "b" / "lock", "busy"):
        result = subprocess.run(
            python(TRY, tmp_path / "b" / "lock"), capture_output=True, text=True
        )
    assert result.returncode == 1
    last = result.stderr.splitlines()[-1]
    assert last == "BlockingIOError: another run uses this folder"
    assert result.stdout == ""


def test_another_holder_in_this_process_is_refused(tmp_path):
    with locks.locked(tmp_path / "lock", "first"):
        with (
            pytest.raises(BlockingIOError, match="^second is busy$"),
            locks.locked(tmp_path / "lock", "second is busy"),
        ):
            pytest.fail("two hold the lock")
        with locks.locked(tmp_path / "another lock", "busy"):
            pass


@pytest.mark.parametrize("error", [None, ValueError])
def test_lock_is_free_after_the_block(tmp_path, error):
    try:
        with locks.locked(tmp_path / "lock", "busy"):
            if error:
                raise error
    except ValueError:
        pass
    with locks.locked(tmp_path / "lock", "busy"):
        pass


def test_an_error_of_the_blocks_own_is_not_taken_for_a_busy_lock(tmp_path):
    with (
        pytest.raises(BlockingIOError, match="^a full pipe$"),
        locks.locked(tmp_path / "lock", "busy"),
    ):
        raise BlockingIOError("a full pipe")


def test_lock_of_a_killed_process_is_free(tmp_path, holder):
    with pytest.raises(BlockingIOError, match="^busy$"), locks.locked(tmp_path / "lock", "busy"):
        pytest.fail("two hold the lock")
    holder.kill()
    assert holder.wait() == -signal.SIGKILL
    with locks.locked(tmp_path / "lock", "busy"):
        pass


def test_without_a_message_the_lock_is_waited_for(tmp_path, holder):
    with subprocess.Popen(
        python(WAIT, tmp_path / "lock"), stdout=subprocess.PIPE, text=True
    ) as waiting:
        assert waiting.stdout.readline() == "waiting\n"
        with pytest.raises(subprocess.TimeoutExpired):
            waiting.wait(timeout=0.2)
        holder.kill()
        assert waiting.communicate(timeout=20)[0] == "got it\n"


def test_lock_keeps_what_the_file_holds(tmp_path):
    (tmp_path / "lock").write_text("notes")
    with locks.locked(tmp_path / "lock", "busy"):
        pass
    assert (tmp_path / "lock").read_text() == "notes"


def test_lock_file_is_left_with_the_permissions_of_any_new_file(tmp_path):
    (tmp_path / "plain").touch()
    with locks.locked(tmp_path / "lock", "busy"):
        pass
    assert (tmp_path / "lock").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_lock_file_of_another_version_is_taken(tmp_path):
    """Earlier versions opened the lock file for appending and left it empty."""
    (tmp_path / "lock").touch()
    with locks.locked(tmp_path / "lock", "busy"):
        pass
