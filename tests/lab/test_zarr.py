"""Tests of `spheroid measure` on OME-Zarr folders: one image each, one row per field of a plate."""

import numpy as np
import pytest
from helpers import dark_disk
from stores import axes_of, opened, put, write_image

from spheroid_jax.commands import measure as command
from spheroid_jax.lab import journal
from spheroid_jax.report import sheets

SIZE, RADIUS = 96, 20


@pytest.fixture
def folder(tmp_path, monkeypatch, model, rng):
    """A plate of two wells and an image of two channels, all of dark disks."""
    monkeypatch.chdir(tmp_path)
    picture = dark_disk(SIZE, (48, 46), RADIUS, rng)[0]
    root = opened("in/plate.zarr", 2)
    put(root, {"plate": {"wells": [{"path": "A/1"}, {"path": "B/12"}]}})
    for well in ("A/1", "B/12"):
        group = root.create_group(well)
        put(group, {"well": {"images": [{"path": "0"}]}})
        write_image(group.create_group("0"), [picture, picture[::2, ::2]], axes_of("yx"))
    two = np.stack([rng.integers(0, 9, picture.shape, np.uint8), picture])
    labels = ["GFP", "TL Brightfield"]
    write_image(opened("in/C03_d2.ome.zarr", 3), [two], axes_of("cyx"), labels=labels)
    return tmp_path


def test_folders_are_listed_measured_and_skipped_when_done(folder, capsys):
    assert command.main(["in", "--dry-run"]) == 0
    listed = capsys.readouterr().out
    for words in ("in/plate.zarr", "A01_f0", "B12_f0", "TL Brightfield", "0.65"):
        assert words in listed
    assert command.main(["in"]) == 0
    capsys.readouterr()
    rows = sheets.read_csv(folder / "results/measurements.csv")
    assert [(row["well"], row["field"]) for row in rows] == [
        ("C03", ""),
        ("A01", "0"),
        ("B12", "0"),
    ]
    for row in rows:
        assert float(row["equivalent_diameter_px"]) == pytest.approx(2 * RADIUS, rel=0.03)
        assert float(row["equivalent_diameter_um"]) == pytest.approx(2 * RADIUS * 0.65, rel=0.03)
    hashes = {row["sha256"] for row in sheets.read_csv(folder / "results/images.csv")}
    assert len(hashes) == 2 and "" not in hashes
    assert command.main(["in"]) == 0
    assert "3 of the images were done by an earlier run." in capsys.readouterr().out
    # A chunk that has changed makes both fields of its plate undone, and nothing else.
    chunk = next((folder / "in/plate.zarr/A/1/0/0").glob("0.0"))
    other = next((folder / "in/plate.zarr/A/1/0/0").glob("0.1"))
    chunk.write_bytes(other.read_bytes())
    assert command.main(["in"]) == 0
    assert "1 of the images " in capsys.readouterr().out


def test_a_folders_hash_is_of_names_and_contents(tmp_path):
    def made(name, files):
        for path, content in files.items():
            (tmp_path / name / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name / path).write_bytes(content)
        return journal.file_digest(tmp_path / name)

    first = made("a", {"x/1": b"one", ".zattrs": b"two"})
    assert made("b", {".zattrs": b"two", "x/1": b"one"}) == first
    assert made("c", {".zattrs": b"two", "x/2": b"one"}) != first
    assert made("d", {".zattrs": b"tw", "x/1": b"one"}) != first
    assert made("e", {".zattrs": b"one", "x/1": b"two"}) != first
