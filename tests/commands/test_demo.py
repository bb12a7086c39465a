"""Tests of `spheroid demo`: a drawn plate is measured and analysed."""

import csv

from spheroid_jax.commands import main
from spheroid_jax.synthetic import plate


def test_the_demo_measures_the_drawn_plate_and_leaves_what_it_names(tmp_path, monkeypatch, capsys):
    few = [well for well in plate.wells() if well.well in ("B02", "B08", "B10", "H02", "D11")]
    monkeypatch.setattr(plate, "wells", lambda: few)
    monkeypatch.setattr(plate, "DAYS", (0, 6))
    monkeypatch.chdir(tmp_path)
    assert main.main(["demo", "plate"]) == 0
    out = capsys.readouterr().out
    assert "Drawn with: EC50 of alphastatin 1 uM, none of betamycin" in out
    for name in ("analysis/analysis.html", "results/report.html", "images/day0/B02.png", "map.csv"):
        assert (tmp_path / "demo" / name).is_file()
    with open("demo/analysis/wells.csv", newline="", encoding="utf-8-sig") as file:
        rows = {(row["well"], row["time_h"]): row for row in csv.DictReader(file)}
    for well, day in (("B02", 6), ("B10", 6), ("B08", 0)):
        (drawn,) = [each for each in few if each.well == well]
        # The well's own size on the first day is drawn with a spread.
        expected = plate.rate_per_day(drawn) * day
        fold = float(rows[well, str(24 * day)]["fold_change"])
        assert abs(fold / 2.718281828**expected - 1) < 0.15
    assert {rows[well, "0"]["size"] for well in ("D11",)} == {""}


def test_the_demo_touches_no_folder_with_files(tmp_path, monkeypatch, capsys):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("keep")
    assert main.main(["demo", "plate", "--output", str(tmp_path / "mine")]) == 2
    assert "holds files; name a new folder" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["notes.txt"]
