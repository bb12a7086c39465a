"""Tests of `spheroid plate`: what it prints and writes, and how it says that something is wrong."""

import pytest
from plate_tables import write_plate

from spheroid_jax.commands import main


@pytest.fixture
def inputs(tmp_path, monkeypatch):
    """A folder with results/ and map.csv of one time, in which the command runs."""
    write_plate(tmp_path, days=(6,))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_it_prints_the_answers_first_and_writes_the_page(inputs, capsys):
    assert main.main(["plate", "results", "--map", "map.csv"]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0].startswith("alphastatin: EC50 ")
    assert out[1].startswith("betamycin: no effect within 0.03 to 30 uM")
    assert any("all images are of one time" in line for line in out)
    assert out[-1].startswith("Open analysis/analysis.html")
    assert (inputs / "analysis" / "conditions.csv").is_file()


def test_options_reach_the_analysis(inputs, capsys):
    words = ["--only-ok", "--test", "mann-whitney", "--robust", "--output", "other"]
    assert main.main(["plate", "results", "--map", "map.csv", *words]) == 0
    methods = (inputs / "other" / "analysis.json").read_text()
    for text in ("any verdict other than ok", "Mann-Whitney tests", "robust loss"):
        assert text in methods
    capsys.readouterr()


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["nowhere", "--map", "map.csv"], "nowhere: no images.csv in this folder"),
        (["results", "--map", "nothing.csv"], "nothing.csv"),
        (["results", "--map", "map.csv", "--t0", "3"], "--t0 3: no image at this hour"),
        (["results", "--map", "map.csv", "--measure", "area"], "has no column area_um2"),
        (["results", "--map", "map.csv", "--time", "map.csv"], "map.csv: has no column image"),
        (["results", "--map", "results"], "results: a plate map is a .csv"),
        (["map.csv", "--map", "map.csv"], "map.csv: no images.csv in this folder"),
        (["results", "results", "--map", "map.csv"], "results: this folder of results was given"),
        (["results", "--map", "map.csv", "--window", "6", "2"], "the first hour must be before"),
        (["results", "--map", "map.csv", "--window", "5", "9"], "needs images at 3 times in it"),
        (["results", "--map", "map.csv", "--multiple", "0.5"], "--multiple 0.5: must be above 1"),
        (["results", "--map", "map.csv", "--regrowth-images", "0"], "must be at least 1"),
        (["results", "--map", "map.csv", "--interval", "-1"], "--interval -1: must be a number"),
        (["results", "--map", "map.csv", "--t0", "nan"], "--t0 nan: must be a finite number"),
        (["results", "--map", "map.csv", "--output", "map.csv"], "map.csv: File exists"),
    ],
)
def test_what_is_wrong_is_one_line(inputs, capsys, words, problem):
    assert main.main(["plate", *words]) == 2
    err = capsys.readouterr().err
    assert problem in err and err.count("\n") == 1
    assert not (inputs / "analysis").exists()


def test_a_template_is_written_once(inputs, capsys):
    words = ["plate", "template", "--wells", "24", "--output", "mine.csv"]
    assert main.main(words) == 0
    content = (inputs / "mine.csv").read_bytes()
    assert b"D06" in content and b"E01" not in content
    assert main.main(words) == 2
    assert (inputs / "mine.csv").read_bytes() == content
    assert "is there already" in capsys.readouterr().err
