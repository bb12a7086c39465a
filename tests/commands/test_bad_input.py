"""Tests of input and output that go wrong: one line each, nothing lost, the right exit status."""

import contextlib
import errno
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

import pytest
from helpers import ROOT

from spheroid_jax.commands import measure, segment
from spheroid_jax.lab import journal
from spheroid_jax.report import sheets
from spheroid_jax.runtime import files

CODE = """
import pathlib, sys
from spheroid_jax.commands import main
from spheroid_jax.inference import pretrained
pretrained.FOLDER = pathlib.Path("pretrained")
sys.exit(main.main(sys.argv[1:]))
"""
FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def started(*arguments, **environment):
    """Starts the command in a process of its own, with the model of the fixture `plate`."""
    return subprocess.Popen(
        [sys.executable, "-c", CODE, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": os.getcwd()} | environment,
    )


def rows(table="images"):
    return {row["image"]: row for row in sheets.read_csv(pathlib.Path(f"results/{table}.csv"))}


NAMES = [
    *("うえる A01.tif", "größe ß.tif", "a#b.tif", "=1+2.tif", "$HOME.tif", "-lead.tif"),
    *("with  space.tif", 'it\'s "so".tif', "n" * 236 + ".tif", "back\\slash.tif", "100%.tif"),
]


@pytest.mark.skipif(sys.platform != "linux", reason="names that other systems do not allow")
def test_any_name_is_measured_and_segmented(plate, capsys):
    for name in NAMES:
        shutil.copy(plate / "day1" / "A01.tif", plate / name)
    raw = os.fsencode(plate) + b"/bad\xff\xfe.tif"
    shutil.copy(plate / "day1" / "A01.tif", raw)
    assert measure.main(["plate", "--xlsx", "--parquet"]) == 0
    assert capsys.readouterr().err == ""
    found = rows()
    assert found.keys() > {name.replace("=1", "'=1").replace("-lead", "'-lead") for name in NAMES}
    assert found["bad\\xff\\xfe.tif"]["verdict"] == "ok"
    for name in (*(os.fsencode(name) for name in NAMES), b"bad\xff\xfe.tif"):
        assert os.path.isfile(b"results/rois/" + name.replace(b".tif", b".zip"))
    assert segment.main(["plate"]) == 0
    assert os.path.isfile(b"masks/bad\xff\xfe.png")


@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
def test_a_console_that_lacks_letters_shows_escapes(plate, encoding):
    shutil.copy(plate / "day1" / "A01.tif", plate / "うえる A01.tif")
    (plate / "ß.tif").write_bytes(b"no image")
    with started("measure", "plate", "--dry-run", PYTHONIOENCODING=encoding) as process:
        out, err = process.communicate()
    assert process.returncode == 1
    assert rb"plate/\u3046\u3048\u308b A01.tif" in out
    assert err.count(b"\n") == 1 and b"not an image" in err


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names")
def test_what_is_no_readable_file_is_one_line_and_the_others_go_on(plate, capsys):
    os.mkfifo(plate / "fifo.tif")
    os.symlink("/dev/zero", plate / "device.tif")
    os.symlink("loop.tif", plate / "loop.tif")
    os.symlink("nowhere.tif", plate / "dangling.tif")
    os.symlink(".", plate / "again")
    (plate / "empty.tif").touch()
    (plate / "._A01.tif").write_bytes(b"\x00\x05\x16\x07")
    for command in (measure, segment):
        assert command.main(["plate"]) == 1
        out, err = capsys.readouterr()
        assert len(err.splitlines()) == 5, err
        for name, said in (
            ("fifo", "a pipe or a device"),
            ("device", "a pipe or a device"),
            ("loop", "Too many levels of symbolic links"),
            ("dangling", "No such file"),
            ("empty", "the file is empty"),
        ):
            (line,) = [line for line in err.splitlines() if f"plate/{name}.tif: " in line]
            assert said in line
        assert "4 of 9 masks" in out or out.startswith("9 images: 4 ok, 5 unreadable.")


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_one_line(plate, capsys):
    (plate / "day1" / "A01.tif").chmod(0)
    assert measure.main(["plate"]) == 1
    assert "A01.tif: cannot be read: Permission denied" in capsys.readouterr().err


def test_two_files_of_one_stem_are_refused_before_work(plate, capsys):
    shutil.copy(plate / "day1" / "A01.tif", plate / "day1" / "A01.png")
    assert measure.main(["plate"]) == 2
    err = capsys.readouterr().err
    assert "would be written to one file" in err and err.count("\n") == 1
    assert not os.path.exists("results")
    assert measure.main(["plate", "--exclude", "*.png"]) == 0


def test_outputs_that_cannot_be_are_one_line(plate, capsys):
    (plate.parent / "file").touch()
    for output in ("file", "file/below", "plate", "plate/day1/A01.tif"):
        assert measure.main(["plate", "--output", output]) == 2
        err = capsys.readouterr().err
        assert err.count("\n") == 1 and "Traceback" not in err, err


def test_results_inside_the_input_folder_are_not_measured(plate, capsys):
    for _ in range(2):
        assert measure.main(["plate", "--output", "plates/results"]) == 0
        assert capsys.readouterr().out.startswith("4 images: 4 ok.")


def test_pictures_of_an_earlier_run_are_left_out_and_said(plate, capsys):
    """`spheroid measure .` twice, into two folders."""
    assert measure.main([".", "--output", "results", "--exclude", "pretrained/*"]) == 0
    capsys.readouterr()
    assert measure.main([".", "--output", "again"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("4 images: 4 ok.")
    assert "Left out: 12 files (12 in the results of an earlier run)." in out


def test_a_second_run_into_one_folder_waits_for_its_turn(plate, capsys):
    from spheroid_jax.runtime import locks

    with locks.locked("results/.spheroid/lock", "busy"):
        assert measure.main(["plate"]) == 2
    assert "results: another run is writing here" in capsys.readouterr().err
    assert measure.main(["plate"]) == 0


def _fails(monkeypatch, place):
    """Makes the write number `place` of all writes fail half-way; returns the count of writes."""
    count = [0]

    def due():
        count[0] += 1
        return count[0] == place

    replacing, add = files.replacing, journal.Journal._add

    @contextlib.contextmanager
    def full(path, mode="w"):
        fail = due()
        with replacing(path, mode) as file:
            yield file
            if fail:
                raise FULL

    def full_journal(self, values):
        if due():
            if self._file:  # Half of a line is there.
                self._file.write('{"key": ')
                self._file.flush()
            raise OSError(FULL.errno, FULL.strerror, str(self._path))
        add(self, values)

    monkeypatch.setattr(files, "replacing", full)
    monkeypatch.setattr(journal.Journal, "_add", full_journal)
    return count


def test_a_disk_that_is_full_at_any_write_is_said_and_the_next_run_completes(plate, capsys):
    """Every write in turn fails: what is there stays whole, and nothing is left out afterwards."""
    shutil.rmtree(plate / "day3")
    (plate / "day1" / "A02.tif").unlink()
    with pytest.MonkeyPatch.context() as patch:
        writes = _fails(patch, 0)
        assert measure.main(["plate"]) == 0
    complete = _outputs()
    assert writes[0] > 15
    for place in range(1, writes[0] + 1):
        shutil.rmtree("results")
        capsys.readouterr()
        with pytest.MonkeyPatch.context() as patch:
            _fails(patch, place)
            status = measure.main(["plate"])
        err = capsys.readouterr().err
        assert status in (1, 2), place
        assert "No space left on device" in err and "results/" in err, (place, err)
        assert err.count("\n") == 1 and "Traceback" not in err
        assert not [name for name in _outputs() if name.endswith(".part")]
        assert measure.main(["plate"]) == 0, place
        assert _outputs() == complete, place
        assert rows("measurements")["day1/A01.tif"]["area_um2"]


def _outputs():
    return sorted(
        os.path.join(folder, name) for folder, _, names in os.walk("results") for name in names
    )


def test_a_table_that_another_program_holds_is_written_beside(plate, capsys, monkeypatch):
    """Excel on Windows locks what it shows."""
    assert measure.main(["plate", "--xlsx"]) == 0
    replace = os.replace

    def locked(source, target):
        if str(target).endswith("measurements.xlsx"):
            raise PermissionError(errno.EACCES, "Permission denied", source, None, target)
        replace(source, target)

    monkeypatch.setattr(os, "replace", locked)
    capsys.readouterr()
    assert measure.main(["plate", "--xlsx", "--objects=all"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    (line,) = [line for line in out.splitlines() if "measurements.xlsx" in line]
    assert "is it open in another program?); the new one is measurements.new.xlsx" in line
    assert os.path.isfile("results/measurements.new.xlsx")
    assert not [name for name in os.listdir("results") if name.endswith(".part")]


def test_a_reader_that_goes_away_ends_the_command_quietly(plate):
    for n in range(300):
        shutil.copy(plate / "day1" / "A01.tif", plate / f"{'long name ' * 20}{n}.tif")
    with started("measure", "plate", "--dry-run") as process:
        process.stdout.read(100)
        process.stdout.close()
        err = process.stderr.read()
    assert process.returncode == 141 and err == b""


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_ctrl_c_at_start_up_says_how_to_go_on(plate):
    with started("measure", "plate") as process:
        _until(lambda: b"jax" in _maps(process), process)
        process.send_signal(signal.SIGINT)
        begin = time.monotonic()
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert out == b"" and err.count(b"\n") == 1 and b"the same command" in err, err
    assert time.monotonic() - begin < 20  # 5 s on a machine that does nothing else.


def test_ctrl_c_while_a_table_is_written_loses_nothing(plate, capsys, monkeypatch):
    made = sheets.csv_bytes

    def interrupted(columns, rows):
        raise KeyboardInterrupt

    monkeypatch.setattr(sheets, "csv_bytes", interrupted)
    assert measure.main(["plate"]) == 130
    err = capsys.readouterr().err
    assert err.count("\n") == 1 and "images are in results, the same command goes on" in err
    monkeypatch.setattr(sheets, "csv_bytes", made)
    assert measure.main(["plate"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("4 images: 4 ok.") and "of the images were done by an earlier" in out


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_a_killed_run_goes_on(plate, capsys):
    for n in range(60):
        shutil.copy(plate / "day1" / "A01.tif", plate / f"more_{n}.tif")
    with started("measure", "plate") as process:
        _until(lambda: os.path.exists("results/overlays/more_3.jpg"), process)
        process.kill()
    assert process.returncode == -signal.SIGKILL
    assert measure.main(["plate"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("64 images: 64 ok. 64 bodies measured.")
    assert "of the images were done by an earlier run" in out
    assert len(rows("measurements")) == 64


def _until(condition, process):
    end = time.monotonic() + 60
    while not condition():
        assert process.poll() is None and time.monotonic() < end
        time.sleep(0.01)


def _maps(process):
    """The libraries that a process has loaded; what a missing table says is no matter."""
    try:
        with open(f"/proc/{process.pid}/maps", "rb") as file:
            return file.read()
    except OSError:
        return b"jax"
