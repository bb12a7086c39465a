"""Tests of `spheroid measure`: what it prints, and its exit status."""

import pytest

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
        (["nowhere"], "nowhere"),
        (["plate", "--model", "missing"], "missing: no model here"),
        (["plate", "--pattern", "("], "--pattern '(': not a regular expression"),
        (["plate", "--include", "*.gif"], "no images are left: plate/day1/A01.tif"),
    ],
)
def test_what_cannot_begin_is_one_line(plate, capsys, arguments, said):
    assert command.main(arguments) in (1, 2)
    err = capsys.readouterr().err
    assert said in err and "Traceback" not in err


@pytest.mark.parametrize("option", ["--pixel-size=0", "--pixel-size=x", "--plane=deep"])
def test_an_option_that_is_no_number_is_refused(capsys, option):
    with pytest.raises(SystemExit) as end:
        command.main(["plate", option])
    assert end.value.code == 2
    assert option.split("=")[0] in capsys.readouterr().err
