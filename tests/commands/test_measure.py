"""Tests of `spheroid measure`: what it prints, and its exit status."""

import shutil
import sys

import pytest
import tifffile
from helpers import dark_disk

from spheroid_jax.commands import measure as command
from spheroid_jax.lab import run


def test_a_folder_is_measured(plate, capsys):
    assert command.main(["plate"]) == 0
    out, err = capsys.readouterr()
    assert out.splitlines() == [
        "4 images: 4 ok. 4 bodies measured.",
        "Open results/report.html to see what needs a look. Numbers: results/measurements.csv.",
    ]
    assert err == ""
    assert command.main(["plate"]) == 0
    assert "4 of the images were done by an earlier run." in capsys.readouterr().out


def test_a_bad_file_is_one_line_and_status_1(plate, capsys):
    (plate / "day1" / "B01.tif").write_bytes(b"no image")
    assert command.main(["plate"]) == 1
    out, err = capsys.readouterr()
    assert "1 unreadable" in out
    assert err.count("\n") == 1 and err.startswith("spheroid measure: plate/day1/B01.tif: not an")


def test_a_dry_run_lists_and_writes_nothing(plate, capsys):
    assert command.main(["plate", "--dry-run", "--exclude", "day3/*"]) == 0
    out = capsys.readouterr().out
    assert "plate/day1/A01.tif" in out and "A01" in out and "0.5" in out
    assert "left out: plate/day3/A01.tif (--exclude)" in out
    assert not (plate.parent / "results").exists()


def test_after_ctrl_c_it_says_how_to_go_on(plate, capsys, monkeypatch):
    measure_files = run.measure_files

    def interrupted(inputs, output, options, *, on_progress):
        def stop(progress):
            on_progress(progress)
            if progress.done == 1:
                raise KeyboardInterrupt

        return measure_files(inputs, output, options, on_progress=stop)

    monkeypatch.setattr(run, "measure_files", interrupted)
    assert command.main(["plate"]) == 130
    assert "interrupted; 1 of 4 images are in results" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere"], "nowhere: No such file or directory"),
        (["plate", "--model", "missing"], "missing: no model here"),
        (["plate", "--pattern", "("], "--pattern '(': not a regular expression"),
        (["plate", "--include", "*.gif"], "no images are left: plate/day1/A01.tif"),
    ],
)
def test_what_cannot_begin_is_one_line(plate, capsys, arguments, said):
    assert command.main(arguments) == 2
    err = capsys.readouterr().err
    assert said in err and err.count("\n") == 1
    assert not (plate.parent / "results").exists()


def test_a_missing_package_is_said_before_work(plate, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert command.main(["plate", "--parquet"]) == 2
    assert 'needs the package pyarrow, which is not installed: pip install "' in (
        capsys.readouterr().err
    )
    assert not (plate.parent / "results").exists()


def test_a_dry_run_shows_what_it_knows_and_nothing_else(plate, capsys):
    """A column without a value in any row is not shown; what is guessed is said."""
    shutil.copy(plate / "day1" / "A01.tif", plate / "d2_14.tif")
    assert command.main(["plate", "--dry-run"]) == 0
    heading, _, *lines = capsys.readouterr().out.splitlines()
    assert heading.split() == ["file", "um", "per", "px", "from", "well", "day", "notes"]
    assert "'d2' in the name may be a well or a day" in lines[0]
    assert lines[-1] == (
        "5 images would be measured: 4 with a well in the name, 0 without a pixel size. "
        "Nothing was written."
    )


def test_without_a_pixel_size_it_says_how_to_give_one(plate, capsys, rng):
    tifffile.imwrite(plate / "B01.tif", dark_disk(64, (30, 30), 14, rng)[0])
    assert command.main(["plate"]) == 0
    said = "The pixel size of 1 image is not known, so "
    assert said in capsys.readouterr().out
    assert command.main(["plate", "--pixel-size=0.5"]) == 0
    assert said not in capsys.readouterr().out


@pytest.mark.parametrize(
    "option", ["--pixel-size=0", "--pixel-size=x", "--plane=deep", "--jobs=-1", "--time=x"]
)
def test_an_option_that_is_no_number_is_refused(capsys, option):
    with pytest.raises(SystemExit) as end:
        command.main(["plate", option])
    assert end.value.code == 2
    name, value = option.split("=")
    assert f"argument {name}: {value!r} is not " in capsys.readouterr().err
