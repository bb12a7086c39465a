"""Tests of `spheroid segment`: masks, their paths, errors, interruptions."""

import os
import pathlib
import pty
import re
import shutil
import subprocess
import sys
import termios

import numpy as np
import pytest
import tifffile
from helpers import ROOT, dark_disk, thresholding
from PIL import Image

import spheroid_jax as sj
from spheroid_jax import images
from spheroid_jax.commands import measure
from spheroid_jax.commands import segment as command
from spheroid_jax.inference import model_file, pretrained, stream
from spheroid_jax.lab import rules
from spheroid_jax.runtime import compilation, files


@pytest.fixture(scope="module")
def model():
    return thresholding()


@pytest.fixture
def pictures(rng):
    return [dark_disk(40 + 3 * n, (20 + n, 18 + n), 8 + n, rng)[0] for n in range(3)]


@pytest.fixture
def saved(model, trusting, tmp_path, monkeypatch):
    """Makes a working folder, a cache folder and one packaged model for the test."""
    monkeypatch.setattr(compilation, "keep_programs", lambda folder: None)
    monkeypatch.setattr(pretrained, "FOLDER", tmp_path / "pretrained")
    monkeypatch.chdir(tmp_path)
    model_file.save(model, tmp_path / "pretrained" / pretrained.DEFAULT, provenance={})
    for name in (pretrained.DEFAULT, pretrained.EARLIER):
        (pretrained.FOLDER / name).mkdir(exist_ok=True)
        files.write_json(pretrained.FOLDER / name / rules.FILE, trusting._asdict())
    return tmp_path / "pretrained" / pretrained.DEFAULT


@pytest.fixture
def plate(saved, pictures, tmp_path):
    """Makes a folder of two images, and a subfolder with one image."""
    folder = tmp_path / "plate"
    (folder / "day3").mkdir(parents=True)
    for name, picture in zip(("A01", "A02", "day3/A01"), pictures, strict=True):
        Image.fromarray(picture).save(folder / f"{name}.tif")
    return folder


def test_a_mask_is_written_for_each_image(saved, model, pictures, tmp_path, capsys):
    paths = [tmp_path / f"well_{n}.tif" for n in range(2)]
    for path, picture in zip(paths, pictures, strict=False):
        Image.fromarray(picture).save(path)
    (tmp_path / "bad.png").write_text("no image")
    status = command.main(
        [
            *map(str, paths),
            str(tmp_path / "bad.png"),
            f"--model={saved}",
            f"--output={tmp_path / 'masks'}",
        ]
    )
    out, err = capsys.readouterr()
    assert status == 1 and "2 of 3 masks written" in out
    assert "bad.png: not an image" in err and len(err.splitlines()) == 1
    for path, picture in zip(paths, pictures, strict=False):
        mask = images.read_mask(tmp_path / "masks" / f"{path.stem}.png")
        np.testing.assert_array_equal(mask, sj.segment(model, picture).mask)


def test_a_folder_is_mirrored_with_the_packaged_model(plate, model, pictures, capsys):
    assert command.main(["plate"]) == 0
    out, err = capsys.readouterr()
    assert out == "3 of 3 masks written to masks\n" and err == ""
    for name, picture in zip(("A01", "A02", "day3/A01"), pictures, strict=True):
        mask = images.read_mask(f"masks/{name}.png")
        np.testing.assert_array_equal(mask, sj.segment(model, picture).mask)


def test_images_are_segmented_by_a_models_name(saved, tmp_path, rng):
    model_file.save(thresholding(), saved.parent / "spheroid-test", provenance={})
    image, _ = dark_disk(64, (30, 30), 15, rng)
    Image.fromarray(image).save(tmp_path / "well.png")
    assert command.main(["well.png", "--output=masks", "--model=spheroid-test"]) == 0
    np.testing.assert_array_equal(
        images.read_mask(tmp_path / "masks" / "well.png"),
        sj.segment(sj.load("spheroid-test"), image).mask,
    )


def test_nobodys_image_is_overwritten(saved, pictures, tmp_path, capsys):
    path = tmp_path / "well.png"
    Image.fromarray(pictures[0]).save(path)
    before = path.read_bytes()
    for existing in ("refuse", "skip", "replace"):
        arguments = [str(path), f"--output={tmp_path}", f"--existing={existing}"]
        assert command.main(arguments) == 2
        assert path.read_bytes() == before
    Image.fromarray(pictures[0]).save(tmp_path / "well.tif")
    assert command.main([str(path), str(tmp_path / "well.tif")]) == 2
    assert command.main(["--model", str(tmp_path / "nowhere"), str(path)]) == 2
    errors = capsys.readouterr().err.splitlines()
    assert len(errors) == 5
    for error in errors[:3]:
        assert "is an image; choose another --output" in error
    assert "2 of the images would be written to" in errors[3]
    assert "no model here" in errors[4]
    assert not (tmp_path / "masks").exists()


def test_masks_that_are_there_already_stay_unless_asked(plate, capsys):
    """A mask with this name may be ground truth, drawn by a person."""
    (plate.parent / "masks").mkdir()
    mine = plate.parent / "masks" / "A02.png"
    images.write_mask(mine, np.eye(43) > 0)
    before = mine.read_bytes()
    assert command.main(["plate"]) == 2
    assert "masks/A02.png is there already; choose" in capsys.readouterr().err
    assert os.listdir("masks") == ["A02.png"]
    assert command.main(["plate", "--existing=skip"]) == 0
    assert capsys.readouterr().out == "2 of 2 masks written to masks; 1 were there already\n"
    assert mine.read_bytes() == before
    assert command.main(["plate"]) == 2
    assert "masks/A01.png and 2 more masks are there already" in capsys.readouterr().err
    assert command.main(["plate", "--existing=replace"]) == 0
    assert mine.read_bytes() != before


def test_a_mask_that_cannot_be_written_is_that_images_error(plate, capsys, monkeypatch):
    write = images.write_mask

    def full(file, mask):
        if mask.shape == (43, 43):
            raise OSError(28, "No space left on device")
        write(file, mask)

    monkeypatch.setattr(images, "write_mask", full)
    assert command.main(["plate"]) == 1
    out, err = capsys.readouterr()
    assert out == "2 of 3 masks written to masks\n"
    assert err.startswith("spheroid segment: plate/A02.tif: no mask written: ")
    assert "No space left on device" in err and err.count("\n") == 1
    assert sorted(os.listdir("masks")) == ["A01.png", "day3"]


def test_a_file_where_a_folder_of_masks_must_be_fails_alone(plate, capsys):
    (plate.parent / "masks").mkdir()
    (plate.parent / "masks" / "day3").write_text("in the way")
    assert command.main(["plate"]) == 1
    out, err = capsys.readouterr()
    assert out == "2 of 3 masks written to masks\n"
    assert "plate/day3/A01.tif: no mask written: masks/day3: " in err


def test_an_output_that_is_a_file_is_refused(plate, capsys):
    assert command.main(["plate", "--output=plate/A01.tif"]) == 2
    assert "plate/A01.tif: not a folder" in capsys.readouterr().err


def test_an_image_that_is_missing_is_named_by_its_file_first(plate, capsys):
    assert command.main(["plate/A01.tif", "plate/A9.tif"]) == 1
    err = capsys.readouterr().err
    assert re.fullmatch(r"spheroid segment: \S*plate/A9.tif: No such file or directory\n", err)


def test_an_error_of_ours_is_no_images_error(plate, capsys, monkeypatch):
    def broken(*arguments, **options):
        raise TypeError("a bug")

    monkeypatch.setattr(stream, "finish_stream", broken)
    assert command.main(["plate"]) == 70
    err = capsys.readouterr().err
    assert err.startswith("Traceback") and "this is a bug of spheroid_jax" in err


def test_after_ctrl_c_it_says_how_to_go_on(plate, capsys, monkeypatch):
    results = stream.finish_stream

    def interrupted(model, paths, **options):
        yield next(results(model, paths, **options))
        raise KeyboardInterrupt

    monkeypatch.setattr(stream, "finish_stream", interrupted)
    assert command.main(["plate"]) == 130
    assert "interrupted; 1 of 3 masks are in masks, --existing skip" in capsys.readouterr().err
    monkeypatch.setattr(stream, "finish_stream", results)
    assert command.main(["plate", "--existing=skip"]) == 0


def write_ome(path, pixels, axes, **metadata):
    tifffile.imwrite(path, pixels, ome=True, metadata={"axes": axes, **metadata})


def test_bright_field_is_chosen_by_its_name_or_by_option(saved, model, pictures, tmp_path, capsys):
    stack = np.stack([np.zeros_like(pictures[0]), pictures[0]])
    write_ome("well.ome.tif", stack, "CYX", Channel={"Name": ["GFP", "Brightfield"]})
    for channel in ((), ("--channel", "Brightfield"), ("--channel", "1")):
        assert command.main(["well.ome.tif", *channel, "--existing=replace"]) == 0
        mask = images.read_mask("masks/well.ome.png")
        np.testing.assert_array_equal(mask, sj.segment(model, pictures[0]).mask)
    write_ome("other.ome.tif", stack, "CYX", Channel={"Name": ["GFP", "DAPI"]})
    assert command.main(["other.ome.tif"]) == 1
    assert "0 'GFP', 1 'DAPI'; choose one with --channel" in capsys.readouterr().err


def test_each_scene_and_time_has_a_mask_and_an_option_takes_one(saved, model, pictures, rng):
    stack = np.stack([dark_disk(40, (20, 18), radius, rng)[0] for radius in (8, 12)])
    write_ome("film.ome.tif", stack, "TYX")
    assert command.main(["film.ome.tif"]) == 0
    assert sorted(os.listdir("masks")) == ["film.ome_s0_t0.png", "film.ome_s0_t1.png"]
    for time, pixels in enumerate(stack):
        mask = images.read_mask(f"masks/film.ome_s0_t{time}.png")
        np.testing.assert_array_equal(mask, sj.segment(model, pixels).mask)
    assert command.main(["film.ome.tif", "--time=1", "--output=one"]) == 0
    np.testing.assert_array_equal(images.read_mask("one/film.ome.png"), mask)
    assert command.main(["film.ome.tif", "--time=2", "--output=none"]) == 1


def test_masks_are_the_labels_of_measure(plate, capsys):
    """One code path: the same files, planes and bodies."""
    stack = np.stack([np.asarray(Image.open(plate / "A01.tif"))] * 2)
    write_ome(plate / "film.ome.tif", stack, "ZYX")
    assert command.main(["plate"]) == 0
    assert measure.main(["plate"]) == 0
    masks = sorted(path.relative_to("masks").with_suffix("") for path in masks_of("masks"))
    assert len(masks) == 4
    for name in masks:
        labels = images.read_labels(f"results/labels/{name}.ome.tif")
        assert labels.any()
        np.testing.assert_array_equal(images.read_mask(f"masks/{name}.png"), labels > 0)


def masks_of(folder):
    return pathlib.Path(folder).rglob("*.png")


def test_a_mask_that_measure_would_refuse_is_said(saved, trusting, pictures, capsys):
    files.write_json(saved / rules.FILE, trusting._replace(intercept=-9.0)._asdict())
    Image.fromarray(pictures[0]).save("well.png")
    assert command.main(["well.png"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("1 of 1 masks written")
    assert "Do not trust 1 mask, which may be empty, in" in out
    assert "well.png" in out.splitlines()[1]


def test_excluded_files_and_thumbnails_have_no_masks(plate, capsys):
    shutil.copy(plate / "A01.tif", plate / "A01_thumb.tif")
    # Two files of one place, of which one is left out.
    shutil.copy(plate / "A01.tif", plate / "A01.jpg")
    assert command.main(["plate", "--exclude", "day3/*", "--exclude", "*.jpg"]) == 0
    assert sorted(os.listdir("masks")) == ["A01.png", "A02.png"]
    out = capsys.readouterr().out
    assert "Left out: 3 files (2 --exclude, 1 named like a thumbnail)." in out


CODE = """
import sys
from spheroid_jax.commands import segment
from spheroid_jax.inference import pretrained
pretrained.FOLDER = __import__("pathlib").Path("pretrained")
sys.exit(segment.main(["plate"]))
"""


def test_a_bar_with_rate_and_time_left_is_shown_on_a_terminal_only(plate):
    (plate / "bad.tif").write_text("no image")
    environment = os.environ | {"PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(plate.parent)}
    terminal, their_end = pty.openpty()
    termios.tcsetwinsize(their_end, (24, 80))
    with subprocess.Popen(
        [sys.executable, "-c", CODE], stdout=subprocess.PIPE, stderr=their_end, env=environment
    ) as process:
        os.close(their_end)
        shown = b""
        try:
            while chunk := os.read(terminal, 4096):
                shown += chunk
        except OSError:  # How a terminal ends.
            pass
        out = process.stdout.read()
    os.close(terminal)
    shown = shown.decode()
    assert out == b"3 of 4 masks written to masks\n" and process.returncode == 1, shown
    assert re.search(r"[1-4] of 4 images \|.*\| +[\d.]+ images/s, \d\d:\d\d left", shown), shown
    # The error is on its own line, and the bar is erased at the end.
    assert re.search(r"\r *\rspheroid segment: plate/bad.tif: .*\r\n", shown), shown
    assert re.search(r"\r +\r$", shown)
