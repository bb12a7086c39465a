"""Tests of further formats by way of bioio: with a stand-in of its interface, and with itself."""

import sys
import types
from typing import NamedTuple

import numpy as np
import pytest
from pictures import H, W, assert_same

from spheroid_jax import images
from spheroid_jax.images import ImageError, Plane


class _Sizes(NamedTuple):
    Z: float | None
    Y: float | None
    X: float | None


class _BioImage:
    """What this package uses of `bioio.BioImage`: one file of two scenes, and no others."""

    scenes = ("Image:0", "well B2")
    channel_names = ("Channel:0:0", "Bright")
    dtype = np.uint16
    physical_pixel_sizes = _Sizes(None, 0.65, 0.65)
    unit = "micrometer"
    order = "TCZYX"
    shape = (1, 2, 3, H, W)

    def __init__(self, path):
        if path.suffix == ".unknown":
            raise sys.modules["bioio_base.exceptions"].UnsupportedFileFormatError(path)
        self._scene = 0

    def set_scene(self, number):
        self._scene = number

    @property
    def dims(self):
        return types.SimpleNamespace(order=self.order, shape=self.shape)

    @property
    def dimension_properties(self):
        side = types.SimpleNamespace(unit=self.unit)
        return types.SimpleNamespace(X=side, Y=side)

    def get_image_dask_data(self, order, **at):
        assert order == self.order[3:]
        pixels = self.pixels()[(self._scene, at["T"], at["C"], at["Z"])]
        return types.SimpleNamespace(compute=lambda: pixels)

    @classmethod
    def pixels(cls):
        return np.random.default_rng(7).integers(0, 999, (2, *cls.shape)).astype(cls.dtype)


@pytest.fixture
def stand_in(monkeypatch, tmp_path):
    """Installs the stand-in, and writes a file that is no format of ours."""
    exceptions = types.ModuleType("bioio_base.exceptions")
    exceptions.UnsupportedFileFormatError = type("UnsupportedFileFormatError", (Exception,), {})
    base = types.ModuleType("bioio_base")
    base.exceptions = exceptions
    module = types.ModuleType("bioio")
    module.BioImage = type("BioImage", (_BioImage,), {})
    for each in (module, base, exceptions):
        monkeypatch.setitem(sys.modules, each.__name__, each)
    (tmp_path / "a.dv").write_bytes(b"something else" * 10)
    return module.BioImage


def test_planes_scenes_and_names_are_those_of_bioio(stand_in, tmp_path):
    scenes = images.describe(tmp_path / "a.dv")
    # Names that bioio makes up are none.
    assert [scene.name for scene in scenes] == ["", "well B2"]
    assert scenes[0].channel_names == ("", "Bright")
    assert (scenes[0].axes, scenes[0].shape) == ("ZCYX", (3, 2, H, W))
    image = images.read(tmp_path / "a.dv", scene="well b2", channel="bright", z=2)
    assert_same(image.pixels, stand_in.pixels()[1, 0, 1, 2])
    assert image.plane == Plane(channel=1, z=2)
    assert image.pixel_size_um == 0.65
    assert image.notes == ("read with bioio",)


@pytest.mark.parametrize(
    ("side", "unit", "size_um"),
    [
        (650, "nanometer", 0.65),
        (1.0, None, None),
        (1.0, "micrometer", None),  # What some plugins say where they do not know.
        (None, None, None),
        (650, None, None),
    ],
)
def test_a_pixel_size_needs_a_unit(stand_in, tmp_path, side, unit, size_um):
    stand_in.physical_pixel_sizes = _Sizes(None, side, side)
    stand_in.unit = unit
    scene = images.describe(tmp_path / "a.dv")[0]
    assert scene.pixel_size_um == (size_um if size_um is None else pytest.approx(size_um))
    said = "a pixel size of 650 without a unit was ignored"
    assert (said in scene.notes) == (side == 650 and unit is None)


@pytest.mark.parametrize(("samples", "axes"), [(2, "YX"), (3, "YXS"), (4, "YXS")])
def test_samples_are_colours_and_an_alpha_is_dropped(stand_in, tmp_path, samples, axes):
    stand_in.order, stand_in.shape = "TCZYXS", (1, 1, 1, H, W, samples)
    stand_in.channel_names = ("Channel:0:0",)
    image = images.read(tmp_path / "a.dv", scene=0)
    pixels = stand_in.pixels()[0, 0, 0, 0]
    assert image.axes == axes
    assert_same(image.pixels, pixels[..., 0] if samples == 2 else pixels[..., :3])


def test_tiles_of_a_mosaic_are_refused(stand_in, tmp_path):
    stand_in.order, stand_in.shape = "MTCZYX", (4, 1, 1, 1, H, W)
    with pytest.raises(ImageError, match=r"a\.dv: a mosaic of 4 tiles"):
        images.describe(tmp_path / "a.dv")


def test_a_format_without_a_plugin_is_said(stand_in, tmp_path):
    (tmp_path / "a.unknown").write_bytes(b"words")
    with pytest.raises(ImageError, match=r"a\.unknown: not an image.*no plugin of bioio"):
        images.read_image(tmp_path / "a.unknown")


def test_bioio_is_not_asked_about_damaged_files_of_our_formats(stand_in, tmp_path):
    (tmp_path / "a.png").write_bytes(b"words")
    with pytest.raises(ImageError, match=r"a\.png: not an image, or damaged \(what is read"):
        images.read_image(tmp_path / "a.png")


def test_without_bioio_the_message_names_the_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "bioio", None)
    (tmp_path / "a.dv").write_bytes(b"words")
    with pytest.raises(ImageError, match=r'a\.dv: not an image.*"spheroid-jax\[bioio\]"'):
        images.read_image(tmp_path / "a.dv")


@pytest.mark.filterwarnings("ignore")  # Those of bioio's many packages are not ours.
def test_a_file_is_read_with_bioio_itself(tmp_path, rgb):
    pytest.importorskip("bioio_imageio", reason="bioio and its plugin imageio are not installed")
    head = f"P6 {W} {H} 255\n".encode()
    (tmp_path / "a.ppm").write_bytes(head + rgb.tobytes())
    image = images.read(tmp_path / "a.ppm")
    assert_same(image.pixels, rgb)
    assert (image.axes, image.pixel_size_um, image.channel_names) == ("YXS", None, ())
    (tmp_path / "b.ppm").write_bytes(head + rgb.tobytes()[:99])
    with pytest.raises(ImageError, match=r"b\.ppm: "):
        images.read(tmp_path / "b.ppm")
