"""Tests of files that hold several planes: channels, depths, times, scenes, and their choice."""

import numpy as np
import pytest
import tifffile
from pictures import H, W, assert_same
from PIL import Image

from spheroid_jax import images
from spheroid_jax.images import ImageError, Plane

NAMES = ["DAPI", "GFP", "mCherry", "Brightfield"]


@pytest.fixture
def channels(rng):
    """Four pictures of 16 bits."""
    return rng.integers(0, 999, (4, H, W), np.uint16)


def written(path, pixels, kind, axes, **more):
    tifffile.imwrite(path, pixels, metadata={"axes": axes, **more}, **{kind: True})
    return path


# Channels.


@pytest.mark.parametrize("kind", ["imagej", "ome"])
@pytest.mark.parametrize("count", [2, 3, 4])
def test_channels_are_never_taken_for_colours(tmp_path, channels, kind, count):
    path = written(tmp_path / "a.tif", channels[:count], kind, "CYX")
    with pytest.raises(ImageError, match=rf"a\.tif: .*axes CYX.*channel \(0 to {count - 1}\)"):
        images.read_image(path)
    for channel in range(count):
        image = images.read(path, channel=channel)
        assert_same(image.pixels, channels[channel])
        assert image.axes == "YX"
        assert image.plane == Plane(channel=channel)


def test_a_channel_is_chosen_by_its_name(tmp_path, channels):
    path = written(tmp_path / "a.ome.tif", channels, "ome", "CYX", Channel={"Name": NAMES})
    with pytest.raises(ImageError, match="0 'DAPI', 1 'GFP', 2 'mCherry', 3 'Brightfield'"):
        images.read_image(path)
    image = images.read(path, channel="brightfield")
    assert_same(image.pixels, channels[3])
    assert image.channel_names == ("Brightfield",)
    with pytest.raises(ImageError, match="no channel 'phase': the choice is 0 'DAPI'"):
        images.read(path, channel="phase")


def test_labels_of_imagej_are_names_of_channels(tmp_path, channels):
    path = written(tmp_path / "a.tif", channels, "imagej", "CYX", Labels=NAMES)
    assert_same(images.read(path, channel="GFP").pixels, channels[1])


@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_samples_beside_gray_are_channels(tmp_path, channels, planar):
    stored = channels.transpose(1, 2, 0) if planar == "contig" else channels
    tifffile.imwrite(tmp_path / "a.tif", stored, photometric="minisblack", planarconfig=planar)
    with pytest.raises(ImageError, match=r"channel \(0 to 3\)"):
        images.read_image(tmp_path / "a.tif")
    assert_same(images.read(tmp_path / "a.tif", channel=3).pixels, channels[3])


def test_an_alpha_beside_colours_is_dropped(tmp_path, rng):
    pixels = rng.integers(0, 256, (H, W, 4), np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="rgb", extrasamples=["unassalpha"])
    image = images.read(tmp_path / "a.tif")
    assert_same(image.pixels, pixels[..., :3])
    assert image.axes == "YXS"


# Depths and times, and pages that nobody has described.


@pytest.mark.parametrize("axes", ["ZCYX", "TCYX", "TZYX", "TZCYX"])
@pytest.mark.parametrize("kind", ["imagej", "ome"])
def test_every_plane_of_a_stack_can_be_chosen(tmp_path, rng, axes, kind):
    shape = [{"T": 2, "Z": 3, "C": 2}[axis] for axis in axes[:-2]]
    pixels = rng.integers(0, 999, (*shape, H, W), np.uint16)
    path = written(tmp_path / "a.tif", pixels, kind, axes)
    option = {"T": "t", "Z": "z", "C": "channel"}
    for place in np.ndindex(*shape):
        chosen = {option[axis]: n for axis, n in zip(axes, place, strict=False)}
        assert_same(images.read(path, **chosen).pixels, pixels[place])
    with pytest.raises(ImageError, match="choose one with the options"):
        images.read(path)


@pytest.mark.parametrize("pages", [2, 3, 4, 5, 6])
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_pages_are_never_blended(tmp_path, rng, pages, compression):
    pixels = rng.integers(0, 256, (pages, H, W), np.uint8)
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, pixels, photometric="minisblack", compression=compression)
    said = rf"does not say what its {pages} pages are; .*channel or z or t \(0 to {pages - 1}\)"
    with pytest.raises(ImageError, match=said):
        images.read_image(path)
    for option in ("channel", "z", "t"):
        assert_same(images.read(path, **{option: pages - 1}).pixels, pixels[-1])


def test_a_choice_that_is_not_there_says_what_is(tmp_path, rng):
    pixels = rng.integers(0, 999, (3, H, W), np.uint16)
    path = written(tmp_path / "a.tif", pixels, "imagej", "ZYX")
    with pytest.raises(ImageError, match=r"no z 3: the choice is 0 to 2"):
        images.read(path, z=3)
    with pytest.raises(ImageError, match=r"no t 1: it has one only"):
        images.read(path, z=0, t=1)


# Scenes.


@pytest.mark.parametrize("kind", ["plain", "ome"])
def test_several_scenes_need_a_choice(tmp_path, rng, kind):
    first, second = (rng.integers(0, 999, shape, np.uint16) for shape in ((H, W), (H + 8, W)))
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path, ome=kind == "ome") as file:
        for name, pixels in (("left", first), ("right", second)):
            file.write(pixels, metadata={"Name": name} if kind == "ome" else None)
    with pytest.raises(ImageError, match=rf"2 scenes: .*\({W} x {H + 8} px\).*option scene"):
        images.read_image(path)
    assert_same(images.read(path, scene=0).pixels, first)
    assert_same(images.read(path, scene=1).pixels, second)
    if kind == "ome":
        assert_same(images.read(path, scene="Right").pixels, second)
        assert images.read(path, scene=1).scene == "right"


def test_smaller_copies_of_a_picture_are_no_scenes(tmp_path, rng):
    pixels = rng.integers(0, 999, (4 * H, 4 * W), np.uint16)
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        file.write(pixels, metadata=None)
        file.write(pixels[::4, ::4], subfiletype=1, metadata=None)
    assert_same(images.read_image(tmp_path / "a.tif"), pixels)


def test_a_label_beside_a_picture_is_left_out_and_said(tmp_path, rng):
    pixels = rng.integers(0, 999, (8 * H, 8 * W), np.uint16)
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        file.write(pixels, metadata=None)
        file.write(pixels[:H, :W], metadata=None)
    image = images.read(tmp_path / "a.tif")
    assert_same(image.pixels, pixels)
    assert image.notes == (f"left out a page of {W} x {H} px, a label or a preview by its size",)


@pytest.mark.parametrize("compression", [None, "zlib", "lzw", "jpeg"])
@pytest.mark.parametrize("tagged", [True, False])
@pytest.mark.parametrize("first", [True, False])
def test_of_a_pyramid_the_largest_page_is_read(tmp_path, rng, compression, tagged, first):
    coarse = rng.integers(0, 255, (8, 11), np.uint8)
    pixels = np.kron(coarse, np.ones((8, 8), np.uint8))
    levels = [np.ascontiguousarray(pixels[::step, ::step]) for step in (1, 2, 4)]
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        for level in levels if first else levels[::-1]:
            options = {"compression": compression, "photometric": "minisblack", "metadata": None}
            kind = 1 if tagged and level.shape != pixels.shape else 0
            file.write(level, subfiletype=kind, **options)
    image = images.read(tmp_path / "a.tif")
    assert image.pixels.shape == pixels.shape
    assert np.corrcoef(image.pixels.ravel(), pixels.ravel())[0, 1] > 0.95
    # What a tag says is no guess.
    assert len(image.notes) == (0 if tagged else 2)


def test_a_phones_picture_is_turned_and_its_preview_passed_over(tmp_path):
    upright = np.kron(np.arange(12, dtype=np.uint8).reshape(3, 4) * 20, np.ones((16, 16), np.uint8))
    exif = Image.Exif()
    exif[274] = 6
    stored = Image.fromarray(np.rot90(upright, 1))
    preview = stored.resize((12, 16))
    stored.save(
        tmp_path / "a.jpg", "MPO", save_all=True, append_images=[preview], exif=exif, quality=95
    )
    actual = images.read_image(tmp_path / "a.jpg")
    assert actual.shape == upright.shape
    assert np.abs(actual.astype(int) - upright).mean() < 3


@pytest.mark.parametrize("partner", ["a.png", "a.jpg", "a.tif"])
@pytest.mark.parametrize("suffix", [".nd2", ".czi", ".lif", ".zarr", ".gif", ".bmp", ""])
def test_a_wrong_suffix_does_no_harm(tmp_path, gray, partner, suffix):
    path = tmp_path / partner
    Image.fromarray(gray).save(path)
    moved = path.rename(tmp_path / f"moved{suffix}")
    assert images.read_image(moved).shape == gray.shape


# One OME-XML that describes several files.


def _ome_of_two_files(tmp_path, pixels, names, first="b.ome.tif"):
    data = "".join(
        f'<TiffData IFD="0" FirstC="{n}" PlaneCount="1"><UUID FileName="{name}">urn:uuid:{n}</UUID>'
        "</TiffData>"
        for n, name in enumerate(("b.ome.tif", "c.ome.tif"))
    )
    named = "".join(f'<Channel ID="Channel:0:{n}" Name="{x}"/>' for n, x in enumerate(names))
    for n, name in enumerate((first, "c.ome.tif")):
        xml = (
            f'<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" UUID="urn:uuid:{n}">'
            f'<Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYCZT" Type="uint16" '
            f'SizeX="{W}" SizeY="{H}" SizeC="2" SizeZ="1" SizeT="1" PhysicalSizeX="650" '
            f'PhysicalSizeXUnit="nm" PhysicalSizeY="650" PhysicalSizeYUnit="nm">{named}{data}'
            "</Pixels></Image></OME>"
        )
        tifffile.imwrite(tmp_path / name, pixels[n], description=xml, metadata=None)


@pytest.mark.parametrize("partner", ["present", "missing"])
@pytest.mark.parametrize("name", ["b.ome.tif", "renamed.tif"])
def test_a_file_gives_its_own_planes(tmp_path, channels, partner, name):
    _ome_of_two_files(tmp_path, channels, ["GFP", "Brightfield"], first=name)
    if partner == "missing":
        (tmp_path / "c.ome.tif").unlink()
    image = images.read(tmp_path / name)
    assert_same(image.pixels, channels[0])
    assert image.channel_names == ("GFP",)
    assert image.pixel_size_um == pytest.approx(0.65)


# Descriptions.


def test_a_description_lists_what_a_file_holds(tmp_path, rng):
    pixels = rng.integers(0, 999, (2, 3, H, W), np.uint16)
    more = {"PhysicalSizeX": 0.5, "PhysicalSizeY": 0.5, "Channel": {"Name": NAMES[:3]}}
    path = written(tmp_path / "a.ome.tif", pixels, "ome", "TCYX", Name="well A1", **more)
    (scene,) = images.describe(path)
    assert scene.name == "well A1"
    assert (scene.axes, scene.shape) == ("TCYX", (2, 3, H, W))
    assert scene.dtype == np.uint16
    assert scene.channel_names == ("DAPI", "GFP", "mCherry")
    assert scene.pixel_size_um == 0.5


def test_frames_of_an_animation_are_times(tmp_path, gray):
    frames = [Image.fromarray(pixels) for pixels in (gray, 255 - gray, gray // 2)]
    frames[0].save(tmp_path / "a.png", save_all=True, append_images=frames[1:])
    (scene,) = images.describe(tmp_path / "a.png")
    assert (scene.axes, scene.shape) == ("TYX", (3, H, W))
    assert_same(images.read(tmp_path / "a.png", t=1).pixels, 255 - gray)
