"""Tests of atomic writes."""

import json
import os
import stat
import subprocess
import sys

import pytest

from spheroid_jax.runtime import files, locks


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


def test_an_existing_file_keeps_its_permissions(tmp_path):
    (tmp_path / "a").touch(mode=0o600)
    with files.replacing(tmp_path / "a") as file:
        file.write("new")
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o600


def test_the_umask_is_never_set(tmp_path, monkeypatch):
    """Setting the umask, even to read it, changes the files that other threads make meanwhile."""
    monkeypatch.setattr(os, "umask", lambda mask: pytest.fail("the umask was set"))
    with files.replacing(tmp_path / "a"):
        pass
    with locks.locked(tmp_path / "lock", "busy"):
        pass


def test_a_full_disk_leaves_the_old_file_and_no_litter(tmp_path):
    """The system refuses to write beyond a limit; the error comes at the latest on closing."""
    code = f"""
import resource, signal
from spheroid_jax.runtime import files
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (64, 64))
with files.replacing({str(tmp_path / "a.txt")!r}) as file:
    file.write("x" * 100)
"""
    (tmp_path / "a.txt").write_text("old")
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stderr.splitlines()[-1].startswith("OSError: [Errno 27]")
    assert (tmp_path / "a.txt").read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


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
