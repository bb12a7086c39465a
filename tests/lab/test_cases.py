"""Tests of situations that users have reported, drawn by a script where it is present."""

import subprocess
import sys

import numpy as np
import pytest
from helpers import ROOT

from spheroid_jax import images
from spheroid_jax.lab import run
from spheroid_jax.report import sheets

SCRIPT = ROOT.parent / "shared" / "cases" / "make_inputs.py"
pytestmark = pytest.mark.skipif(
    not SCRIPT.is_file(), reason="the script is not beside the checkout"
)
# Pictures that are refused or are not the reference picture.
REFUSED = ("_appledouble", "empty_file", "truncated")
OTHER = ("08_", "10_preallocated", "11_", "13_", "06_12in16_hot")


@pytest.fixture(scope="module")
def cases(tmp_path_factory):
    """The folder of all drawn files."""
    folder = tmp_path_factory.mktemp("cases")
    command = [sys.executable, SCRIPT, folder]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return folder


def test_one_picture_is_one_picture_in_every_container(cases):
    reference = images.to_gray(images.read_image(cases / "formats" / "00_reference.png"))
    seen = 0
    for path in sorted((cases / "formats").iterdir()):
        if any(part in path.name for part in REFUSED):
            with pytest.raises(images.ImageError):
                images.read_image(path)
        elif not path.name.startswith(OTHER):
            gray = images.to_gray(images.read_image(path))
            assert gray.shape == reference.shape, path.name
            assert np.corrcoef(gray.ravel(), reference.ravel())[0, 1] > 0.99, path.name
            seen += 1
    assert seen > 90


def test_verdicts_on_scenes(cases, tmp_path):
    run.measure_files([cases / "scenes"], tmp_path / "results")
    rows = sheets.read_csv(tmp_path / "results" / "images.csv")
    verdicts = {row["image"].removesuffix(".png"): row["verdict"] for row in rows}
    empty = {name for name in verdicts if name.startswith("empty_")}
    assert len(empty) == 9
    assert sum(verdicts[name] != "empty" for name in empty) <= 1
    ordinary = ("one", "dark", "inverted", "well_wall", "necrotic_core")
    for name in (*ordinary, "info_bar_black", "scale_bar_white"):
        assert verdicts[name] == "ok", name
    assert verdicts["annotated_colour"] == "ok"
    for name in ("two", "six", "two_touching"):
        assert verdicts[name] == "several"
    for name in ("border", "border_half"):
        assert verdicts[name] == "border"
    assert verdicts["blurred"] == "out of focus"
    assert verdicts["low_contrast"] == "low contrast"
    for name in ("tiny", "fills_frame"):
        assert verdicts[name] not in ("ok", "empty"), name


def test_planes_are_chosen_or_refused_with_a_list(cases, tmp_path):
    run.measure_files([cases / "planes"], tmp_path / "results")
    rows = sheets.read_csv(tmp_path / "results" / "images.csv")
    by_name = {}
    for row in rows:
        by_name.setdefault(row["image"].rpartition("/")[2], []).append(row)
    for name, found in by_name.items():
        if name.startswith(("ij_c", "pages", "shaped3")):
            assert [row["verdict"] for row in found] == ["unreadable"], name
            assert "choose one with" in found[0]["reason"], name
        elif name.startswith(("ome_c2", "ome_c3", "ome_c4")):
            assert len(found) == 1 and found[0]["verdict"] == "ok", name
            assert any(word in found[0]["channel"] for word in ("Brightfield", "BF")), name
    assert [row["well"] for row in by_name["ome_two_scenes.ome.tif"]] == ["A01", "A02"]
    assert len(by_name["ij_t4.tif"]) == 4 and len(by_name["ome_t3.ome.tif"]) == 3
