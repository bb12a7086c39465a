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
        "T-PMT",
        "ESID",
        "PhC",
        "BF_10x",
        "BF1",
        "c0_BF",
        "TL2",
        "TLD",
        "TransmittedLight",
        "Phase Contrast",
        "brightfield_2",
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


@pytest.mark.parametrize(
    "name", ["Transferrin-488", "TLR4", "metaphase", "Dicer", "phalloidin", "transgene", "ABF2b"]
)
def test_a_name_that_only_looks_like_bright_field_is_none(tmp_path, name):
    write(tmp_path / "a.ome.tif", "C", (2,), ["GFP", name])
    (failed,) = items(tmp_path / "a.ome.tif")
    assert isinstance(failed, Failed) and "no name says bright field" in failed.reason


@pytest.mark.parametrize("count", [2, 3, 4, 5])
@pytest.mark.parametrize("kind", ["ome", "imagej"])
@pytest.mark.parametrize("compression", [None, "zlib", "lzw", "jpeg2000"])
def test_bright_field_is_its_own_plane_at_every_place(tmp_path, count, kind, compression, rng):
    pixels = rng.integers(0, 999, (count, *SHAPE), np.uint16)
    for place in range(count):
        names = ["DAPI", "GFP", "mCherry", "Cy5", "FITC"][:count]
        names[place] = "BF"
        named = {"Labels": names} if kind == "imagej" else {"Channel": {"Name": names}}
        path = tmp_path / f"{place}.tif"
        options = {"metadata": {"axes": "CYX", **named}, "photometric": "minisblack"}
        try:
            tifffile.imwrite(path, pixels, compression=compression, **{kind: True}, **options)
        except ValueError:
            pytest.skip("the library writes no such file of ImageJ")
        (item,) = items(path)
        picture = plan.read_picture(item, DEFAULT)
        np.testing.assert_array_equal(picture.pixels, pixels[place])
        assert (item.channel, item.channel_name) == (place, "BF")


@pytest.mark.parametrize("name", ["A01_thumb.tif", "A01_w1_thumb3F2A.tif", "A01.thumb.png"])
def test_a_thumbnail_beside_its_image_is_left_out(tmp_path, name):
    write(tmp_path / "A01_w1.tif", "", ())
    write(tmp_path / name, "", ())
    planned = plan.make_plan([tmp_path], "results", DEFAULT)
    assert [item.found.path.name for item in planned.items] == ["A01_w1.tif"]
    assert planned.left_out == [(tmp_path / name, "named like a thumbnail")]


@pytest.mark.parametrize("name", ["B02_thumb.tif", "left_thumb_organoid.tif"])
def test_a_file_without_an_image_beside_it_is_no_thumbnail(tmp_path, name):
    write(tmp_path / "A01.tif", "", ())
    write(tmp_path / name, "", ())
    planned = plan.make_plan([tmp_path], "results", DEFAULT, wells=False)
    assert len(planned.items) == 2 and planned.left_out == []


def test_a_plane_without_a_number_does_not_refuse_a_stack(tmp_path):
    pixels = np.random.default_rng(0).random((3, *SHAPE)).astype(np.float32)
    pixels[1, 5, 6] = np.nan
    tifffile.imwrite(tmp_path / "a.tif", pixels, imagej=True, metadata={"axes": "ZYX"})
    (item,) = items(tmp_path / "a.tif")
    for plane in plan.PROJECTIONS:
        picture = plan.read_picture(item, Choice(plane=plane))
        assert np.isfinite(picture.pixels).all()
    assert picture.doubts == ("1 pixel without a number was filled from the nearest",)
