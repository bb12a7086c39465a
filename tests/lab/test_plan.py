"""Tests of the choice of channels, depths, times and scenes."""

import numpy as np
import pytest
import tifffile

from spheroid_jax.images import find
from spheroid_jax.lab import plan
from spheroid_jax.lab.plan import Choice, Failed

SHAPE = (40, 48)


def write(path, axes, counts, names=None, kind="ome"):
    rng = np.random.default_rng(len(axes))
    pixels = rng.integers(0, 999, (*counts, *SHAPE), np.uint16)
    metadata = {"axes": f"{axes}YX"}
    if names:
        metadata["Channel"] = {"Name": names}
    tifffile.imwrite(path, pixels, metadata=metadata, **{kind: True})
    return pixels


DEFAULT = Choice()


def items(path, choice=DEFAULT):
    return list(plan.make(find.find([path], "results"), choice))


@pytest.mark.parametrize(
    "name",
    [
        "Brightfield",
        "bright field",
        "BF",
        "TL",
        "TL 10x",
        "Trans",
        "Phase",
        "DIC",
        "PH2",
        "T-PMT trans",
    ],
)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_bright_field_is_chosen_by_its_name(tmp_path, name, place):
    names = ["DAPI", "GFP", "mCherry"]
    names[place] = name
    pixels = write(tmp_path / "a.ome.tif", "C", (3,), names)
    (item,) = items(tmp_path / "a.ome.tif")
    assert (item.channel, item.channel_name) == (place, name)
    assert item.notes == (f"channel {name!r} of 3, by its name",)
    picture = plan.read_picture(item, Choice())
    np.testing.assert_array_equal(picture.pixels, pixels[place])


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (
            ["DAPI", "GFP"],
            "no name says bright field: 0 'DAPI', 1 'GFP'; choose one with --channel",
        ),
        (["BF", "Phase"], "several names say bright field"),
        (None, "no name says bright field: 0, 1"),
    ],
)
def test_channels_without_a_clear_bright_field_are_refused(tmp_path, names, said):
    kind = "ome" if names else "imagej"
    write(tmp_path / "a.tif", "C", (2,), names, kind)
    (failed,) = items(tmp_path / "a.tif")
    assert isinstance(failed, Failed) and said in failed.reason
    (item,) = items(tmp_path / "a.tif", Choice(channel=1))
    assert item.channel == 1


def test_a_single_fluorescence_channel_is_refused_unless_asked_for(tmp_path):
    pixels = write(tmp_path / "a.ome.tif", "", (), ["GFP"])
    (failed,) = items(tmp_path / "a.ome.tif")
    assert "only channel is 'GFP'" in failed.reason
    (item,) = items(tmp_path / "a.ome.tif", Choice(channel=0))
    np.testing.assert_array_equal(plan.read_picture(item, Choice(channel=0)).pixels, pixels)


@pytest.mark.parametrize("kind", ["min", "max", "mean"])
def test_depths_are_projected(tmp_path, kind):
    pixels = write(tmp_path / "a.tif", "Z", (3,), kind="imagej")
    choice = Choice(plane=kind)
    (item,) = items(tmp_path / "a.tif", choice)
    picture = plan.read_picture(item, choice)
    expected = getattr(np, kind)(pixels, axis=0).astype(np.uint16)
    np.testing.assert_array_equal(picture.pixels, expected)
    assert picture.notes == (f"{kind} projection of 3 depths",)


def test_the_sharpest_depth_is_chosen_and_said(tmp_path):
    from scipy import ndimage

    sharp = np.random.default_rng(0).random(SHAPE)
    planes = np.stack([ndimage.gaussian_filter(sharp, s) for s in (3, 1.5, 0.1, 2)])
    planes = (planes * 60_000).astype(np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", planes, imagej=True, metadata={"axes": "ZYX"})
    (item,) = items(tmp_path / "a.tif")
    picture = plan.read_picture(item, Choice())
    np.testing.assert_array_equal(picture.pixels, planes[2])
    assert picture.notes == ("depth 2 is the sharpest of 4",)
    third = plan.read_picture(item, Choice(plane=3))
    np.testing.assert_array_equal(third.pixels, planes[3])


def test_a_depth_that_is_not_there_is_refused(tmp_path):
    write(tmp_path / "a.tif", "Z", (3,), kind="imagej")
    (failed,) = items(tmp_path / "a.tif", Choice(plane=3))
    assert failed.reason == "no depth 3: there are 3"


def test_every_time_is_an_item_with_all_axes(tmp_path):
    pixels = write(tmp_path / "a.ome.tif", "TZC", (2, 2, 2), ["BF", "GFP"])
    found = items(tmp_path / "a.ome.tif", Choice(plane=1))
    assert [item.t for item in found] == [0, 1]
    assert [item.name.rsplit("_", 2)[1:] for item in found] == [["s0", "t0"], ["s0", "t1"]]
    for item in found:
        picture = plan.read_picture(item, Choice(plane=1))
        np.testing.assert_array_equal(picture.pixels, pixels[item.t, 1, 0])


def test_pages_that_nobody_described_are_refused_with_the_option(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 99, (3, *SHAPE), np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="minisblack")
    (failed,) = items(tmp_path / "a.tif")
    assert "does not say what its 3 pages are" in failed.reason
    (item,) = items(tmp_path / "a.tif", Choice(channel=2))
    np.testing.assert_array_equal(plan.read_picture(item, Choice(channel=2)).pixels, pixels[2])
