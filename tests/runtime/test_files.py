"""Tests of files that are whole or absent, and of the folder lock."""

import json
import os
import signal
import stat
import subprocess
import sys

import pytest

from spheroid_jax.runtime import files

HOLD = """
import sys, time
from spheroid_jax import files
with files.locked(sys.argv[1], "busy"):
    print("held", flush=True)
    time.sleep(60)
"""
TRY = """
import sys
from spheroid_jax import files
with files.locked(sys.argv[1], "another run uses this folder"):
    print("got it")
"""
WAIT = """
import sys
from spheroid_jax import files
print("waiting", flush=True)
with files.locked(sys.argv[1], None):
    print("got it")
"""


def python(code, path):
    return [sys.executable, "-c", code, str(path)]


@pytest.fixture
def holder(tmp_path):
    """Another process that holds the lock of tmp_path / "lock"."""
    with subprocess.Popen(
        python(HOLD, tmp_path / "lock"), stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


# Replacing.


def test_file_appears_with_its_content(tmp_path):
    with files.replacing(tmp_path / "a.txt") as file:
        file.write("größer\r\n")
    assert (tmp_path / "a.txt").read_bytes() == "größer\r\n".encode()
    assert os.listdir(tmp_path) == ["a.txt"]


def test_bytes_can_be_written(tmp_path):
    with files.replacing(tmp_path / "a.bin", "wb") as file:
        file.write(b"\x00\r\n\xff")
    assert (tmp_path / "a.bin").read_bytes() == b"\x00\r\n\xff"


def test_missing_folders_are_made(tmp_path):
    with files.replacing(tmp_path / "b" / "c" / "a.txt") as file:
        file.write("new")
    assert (tmp_path / "b" / "c" / "a.txt").read_text() == "new"


def test_old_file_is_there_until_the_new_one_is_complete(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with files.replacing(path) as file:
        file.write("new" * 100_000)
        file.flush()
        assert path.read_text() == "old"
    assert path.read_text() == "new" * 100_000


@pytest.mark.parametrize("error", [ValueError, OSError, KeyboardInterrupt])
def test_an_exception_inside_leaves_the_old_file_and_no_litter(tmp_path, error):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(error), files.replacing(path) as file:
        file.write("half")
        raise error
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_an_exception_inside_leaves_an_absent_file_absent(tmp_path):
    with pytest.raises(ValueError), files.replacing(tmp_path / "a.txt"):
        raise ValueError
    assert os.listdir(tmp_path) == []


def test_a_folder_in_the_way_is_an_error_without_litter(tmp_path):
    (tmp_path / "a.txt").mkdir()
    with pytest.raises(OSError), files.replacing(tmp_path / "a.txt") as file:
        file.write("new")
    assert os.listdir(tmp_path) == ["a.txt"]


def test_file_has_the_permissions_of_any_new_file(tmp_path):
    (tmp_path / "plain").touch()
    with files.replacing(tmp_path / "replaced"):
        pass
    modes = {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("plain", "replaced")}
    assert len(modes) == 1


def test_umask_is_as_before(tmp_path):
    old = os.umask(0o027)
    try:
        with files.replacing(tmp_path / "a"):
            pass
        assert os.umask(0o027) == 0o027
        assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o640
    finally:
        os.umask(old)


def test_json_is_sorted_and_ends_with_a_newline(tmp_path):
    files.write_json(tmp_path / "a.json", {"b": [1, 2.5], "a": None})
    text = (tmp_path / "a.json").read_text()
    assert json.loads(text) == {"a": None, "b": [1, 2.5]}
    assert text.index('"a"') < text.index('"b"')
    assert text.endswith("}\n")


def test_value_that_is_not_json_leaves_the_old_file(tmp_path):
    files.write_json(tmp_path / "a.json", [1])
    with pytest.raises(TypeError):
        files.write_json(tmp_path / "a.json", [1, object()])
    assert json.loads((tmp_path / "a.json").read_text()) == [1]
    assert os.listdir(tmp_path) == ["a.json"]


# Locking.


def test_another_process_is_refused_with_the_message(tmp_path):
    with files.locked(tmp_path / "b" / "lock", "busy"):
        result = subprocess.run(
            python(TRY, tmp_path / "b" / "lock"), capture_output=True, text=True
        )
    assert result.returncode == 1
    last = result.stderr.splitlines()[-1]
    assert last == "BlockingIOError: another run uses this folder"
    assert result.stdout == ""


def test_another_holder_in_this_process_is_refused(tmp_path):
    with files.locked(tmp_path / "lock", "first"):
        with (
            pytest.raises(BlockingIOError, match="^second is busy$"),
            files.locked(tmp_path / "lock", "second is busy"),
        ):
            pytest.fail("two hold the lock")
        with files.locked(tmp_path / "another lock", "busy"):
            pass


@pytest.mark.parametrize("error", [None, ValueError])
def test_lock_is_free_after_the_block(tmp_path, error):
    try:
        with files.locked(tmp_path / "lock", "busy"):
            if error:
                raise error
    except ValueError:
        pass
    with files.locked(tmp_path / "lock", "busy"):
        pass


def test_an_error_of_the_blocks_own_is_not_taken_for_a_busy_lock(tmp_path):
    with (
        pytest.raises(BlockingIOError, match="^a full pipe$"),
        files.locked(tmp_path / "lock", "busy"),
    ):
        raise BlockingIOError("a full pipe")


def test_lock_of_a_killed_process_is_free(tmp_path, holder):
    with pytest.raises(BlockingIOError, match="^busy$"), files.locked(tmp_path / "lock", "busy"):
        pytest.fail("two hold the lock")
    holder.kill()
    assert holder.wait() == -signal.SIGKILL
    with files.locked(tmp_path / "lock", "busy"):
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
    with files.locked(tmp_path / "lock", "busy"):
        pass
    assert (tmp_path / "lock").read_text() == "notes"
