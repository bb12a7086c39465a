"""Tests of the files of microscopes' makers, written here where a library can, and by hand."""

import builtins
import pathlib

import numpy as np
import pytest
from helpers import ROOT
from leica import lif
from pictures import H, W, assert_same
from pylibCZIrw import czi

from spheroid_jax import images
from spheroid_jax.images import ImageError, Plane

# A real file, where the project's shared files are beside the checkout.
ND2 = ROOT.parent / "shared" / "cases" / "vendor" / "cluster.nd2"


@pytest.fixture
def planes(rng):
    """Two scenes, times, depths and channels of 16 bits."""
    return rng.integers(0, 999, (2, 2, 2, 2, H, W), np.uint16)


@pytest.fixture
def czi_file(tmp_path, planes):
    path = tmp_path / "a.czi"
    with czi.create_czi(str(path)) as file:
        for scene, t, z, c in np.ndindex(planes.shape[:4]):
            pixels = planes[scene, t, z, c][..., None]
            at = {"T": t, "Z": z, "C": c}
            file.write(pixels, plane=at, scene=scene, location=(scene * 2 * W, 0))
        names = {0: "GFP", 1: "TL Brightfield"}
        file.write_metadata("a", channel_names=names, scale_x=0.65e-6, scale_y=0.65e-6)
    return path


def test_a_czi_file_gives_every_plane(czi_file, planes):
    scenes = images.describe(czi_file)
    assert [(scene.axes, scene.shape) for scene in scenes] == [("TZCYX", (2, 2, 2, H, W))] * 2
    assert scenes[0].channel_names == ("GFP", "TL Brightfield")
    assert scenes[0].pixel_size_um == pytest.approx(0.65)
    for scene, t, z, c in np.ndindex(planes.shape[:4]):
        image = images.read(czi_file, scene=scene, t=t, z=z, channel=c)
        assert_same(image.pixels, planes[scene, t, z, c])
        assert image.plane == Plane(channel=c, z=z, t=t)
    named = images.read(czi_file, scene=0, t=0, z=0, channel="tl brightfield")
    assert_same(named.pixels, planes[0, 0, 0, 1])


def test_a_czi_file_is_known_by_its_content(czi_file):
    moved = czi_file.rename(czi_file.with_suffix(".tif"))
    with pytest.raises(ImageError, match="2 scenes"):
        images.read_image(moved)


def test_colours_of_a_czi_file_are_red_green_blue(tmp_path, rgb):
    with czi.create_czi(str(tmp_path / "a.czi")) as file:
        file.write(np.ascontiguousarray(rgb[..., ::-1]), plane={"C": 0})
    image = images.read(tmp_path / "a.czi")
    assert_same(image.pixels, rgb)
    assert image.axes == "YXS"


def test_a_lif_file_gives_its_images(tmp_path, planes):
    first, second = planes[0, 0, 0, 0], planes[1, 0, 0, 0]
    path = lif(tmp_path / "a.lif", {"well A1": first, "well A2": second}, 1.3)
    scenes = images.describe(path)
    assert [scene.axes for scene in scenes] == ["YX", "YX"]
    assert "well A2" in scenes[1].name
    assert scenes[0].pixel_size_um == pytest.approx(1.3, rel=1e-3)
    for number, pixels in enumerate((first, second)):
        assert_same(images.read(path, scene=number).pixels, pixels)


def test_a_lif_file_gives_every_plane(tmp_path, planes):
    stack = planes[0, 0]
    path = lif(tmp_path / "a.lif", {"well A1": stack}, 0.65, tables=["Gray", "Green"])
    (scene,) = images.describe(path)
    assert (scene.axes, scene.shape) == ("ZCYX", (2, 2, H, W))
    assert scene.channel_names == ("Gray", "Green")
    for z, c in np.ndindex(stack.shape[:2]):
        pixels = images.read(path, z=z, channel=c).pixels
        assert_same(pixels, stack[z, c])
        assert type(pixels) is np.ndarray and pixels.flags.owndata
    assert_same(images.read(path, z=1, channel="green").pixels, stack[1, 1])


@pytest.mark.skipif(not ND2.is_file(), reason="no library writes ND2; the real file is not here")
def test_an_nd2_file_gives_its_planes():
    (scene,) = images.describe(ND2)
    assert (scene.axes, scene.shape) == ("TZCYX", (3, 10, 2, 31, 38))
    assert scene.pixel_size_um == pytest.approx(0.1678, abs=1e-4)
    assert len(scene.channel_names) == 2
    import nd2

    whole = nd2.imread(ND2)
    for t, z, c in ((0, 0, 0), (2, 9, 1), (1, 4, 0)):
        assert_same(images.read(ND2, t=t, z=z, channel=c).pixels, whole[t, z, c])


@pytest.mark.parametrize(
    ("package", "extra", "head"),
    [
        ("nd2", "nd2", b"\xda\xce\xbe\x0a"),
        ("pylibCZIrw", "czi", b"ZISRAWFILE"),
        ("liffile", "lif", b"\x70\0\0\0"),
    ],
)
def test_a_missing_package_names_its_extra(tmp_path, monkeypatch, package, extra, head):
    path = pathlib.Path(tmp_path / "a.bin")
    path.write_bytes(head + bytes(100))
    find = builtins.__import__

    def without(name, *arguments):
        if name.split(".")[0] == package:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return find(name, *arguments)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImageError, match=rf"a\.bin: .*{package}.*spheroid-jax\[{extra}\]"):
        images.read_image(path)


@pytest.mark.parametrize("head", [b"\xda\xce\xbe\x0a", b"ZISRAWFILE\0\0", b"\x70\0\0\0"])
def test_a_damaged_file_is_named(tmp_path, head):
    (tmp_path / "a.bin").write_bytes(head + bytes(500))
    with pytest.raises(ImageError, match=r"a\.bin: "):
        images.read_image(tmp_path / "a.bin")
