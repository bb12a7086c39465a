"""Tests of OME-Zarr folders: planes, levels, names, pixel sizes, layouts, and what is wrong."""

import builtins
import shutil

import numcodecs
import numpy as np
import pytest
import zarr
from pictures import H, W, assert_same
from stores import axes_of, opened, put, write_image, write_plate

from spheroid_jax import images
from spheroid_jax.images import ImageError, Plane, find
from spheroid_jax.images.formats import ome_zarr

FORMATS = pytest.mark.parametrize("zarr_format", [2, 3])


@pytest.fixture
def stack(rng):
    """Times, channels and depths of 16 bits."""
    return rng.integers(0, 999, (2, 2, 3, H, W), np.uint16)


@pytest.fixture(params=[2, 3])
def store(request, tmp_path, stack):
    """A folder of one image with two levels."""
    path = tmp_path / "a.ome.zarr"
    levels = [stack, stack[..., ::2, ::2]]
    group = opened(path, request.param)
    write_image(group, levels, axes_of("tczyx"), labels=["GFP", "Bright"], name="well A1")
    return path


def test_every_plane_is_read(store, stack):
    (scene,) = images.describe(store)
    assert (scene.axes, scene.shape) == ("TZCYX", (2, 3, 2, H, W))
    assert (scene.name, scene.dtype) == ("well A1", np.uint16)
    assert scene.channel_names == ("GFP", "Bright")
    assert scene.pixel_size_um == pytest.approx(0.65)
    for t, c, z in np.ndindex(stack.shape[:3]):
        image = images.read(store, t=t, z=z, channel=c)
        assert_same(image.pixels, stack[t, c, z])
        assert image.plane == Plane(channel=c, z=z, t=t)
    named = images.read(store, t=0, z=0, channel="bright")
    assert_same(named.pixels, stack[0, 1, 0])
    assert named.axes == "YX" and named.source == str(store)


def test_several_planes_need_a_choice(store):
    with pytest.raises(ImageError, match=r"a\.ome\.zarr: a stack of 12 images .*'GFP', 1 'Bright'"):
        images.read_image(store)


def test_only_the_chunks_of_the_plane_are_read(store, stack):
    for chunk in store.glob("0/*" if (store / ".zgroup").exists() else "0/c/*"):
        name = chunk.name.split(".")[0]
        if name == "1":  # The second time.
            shutil.rmtree(chunk) if chunk.is_dir() else chunk.write_bytes(b"damaged")
    assert_same(images.read(store, t=0, z=1, channel=0).pixels, stack[0, 0, 1])


@FORMATS
def test_the_largest_level_is_read_in_whatever_order(tmp_path, rng, zarr_format):
    pixels = rng.integers(0, 999, (H, W), np.uint16)
    group = opened(tmp_path / "a.zarr", zarr_format)
    write_image(group, [pixels[::2, ::2], pixels], axes_of("yx"), scale=[2.6, 2.6])
    assert_same(images.read_image(tmp_path / "a.zarr"), pixels)
    # The scale of the second, which `write_image` doubles.
    assert images.read(tmp_path / "a.zarr").pixel_size_um == pytest.approx(5.2)


@FORMATS
@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint32, np.float32, ">u2"])
def test_number_types_are_kept(tmp_path, rng, dtype, zarr_format):
    pixels = (rng.random((H, W)) * 100).astype(dtype)
    if zarr_format == 3 and dtype == ">u2":
        pytest.skip("format 3 has no such type of numbers")
    write_image(opened(tmp_path / "a.zarr", zarr_format), [pixels], axes_of("yx"))
    native = np.dtype(dtype).newbyteorder("=")
    assert_same(images.read_image(tmp_path / "a.zarr"), pixels.astype(native))


def test_sides_that_are_swapped_are_turned(tmp_path, rng):
    pixels = rng.integers(0, 999, (3, H, W), np.uint16)
    group = opened(tmp_path / "a.zarr", 2)
    write_image(group, [pixels.transpose(2, 0, 1)], axes_of("xzy"))
    assert_same(images.read(tmp_path / "a.zarr", z=2).pixels, pixels[2])


@pytest.mark.parametrize("version", ["0.1", "0.3"])
def test_older_versions_name_their_axes_otherwise(tmp_path, stack, version):
    group = opened(tmp_path / "a.zarr", 2)
    write_image(group, [stack], axes_of("tczyx"))
    (image,) = group.attrs["multiscales"]
    image |= {"version": version, "axes": list("tczyx")}
    if version == "0.1":
        del image["axes"]
    group.attrs["multiscales"] = [image]
    assert_same(images.read(tmp_path / "a.zarr", t=1, channel=0, z=2).pixels, stack[1, 0, 2])
    # Such versions have no units.
    assert images.read(tmp_path / "a.zarr", t=1, channel=0, z=2).pixel_size_um is None


# Pixel sizes.


@pytest.mark.parametrize(
    ("unit", "scale", "size_um"),
    [
        ("micrometer", [0.65, 0.65], 0.65),
        ("nanometer", [650, 650], 0.65),
        ("millimeter", [0.00065, 0.00065], 0.65),
        ("meter", [6.5e-7, 6.5e-7], 0.65),
        ("angstrom", [6500, 6500], 0.65),
        ("micrometer", [1.0, 1.0], 1.0),
        (None, [1.0, 1.0], None),
        (None, [0.65, 0.65], None),
        ("parsec", [0.65, 0.65], None),
        ("micrometer", [0.65, 0.8], None),
        ("micrometer", [0.0, 0.0], None),
    ],
)
def test_a_pixel_size_has_a_unit(tmp_path, gray, unit, scale, size_um):
    write_image(opened(tmp_path / "a.zarr", 3), [gray], axes_of("yx", unit), scale=scale)
    image = images.read(tmp_path / "a.zarr")
    assert image.pixel_size_um == (size_um if size_um is None else pytest.approx(size_um))
    ignored = "a pixel size of 0.65 without a unit was ignored"
    assert image.notes == ((ignored,) if unit is None and scale[0] != 1 else ())


def test_scales_of_the_level_and_of_the_image_are_multiplied(tmp_path, gray):
    whole = [{"type": "scale", "scale": [0.5, 0.5]}]
    group = opened(tmp_path / "a.zarr", 3)
    write_image(group, [gray], axes_of("yx"), scale=[1.3, 1.3], coordinateTransformations=whole)
    assert images.read(tmp_path / "a.zarr").pixel_size_um == pytest.approx(0.65)


def test_a_unit_without_a_scale_is_no_pixel_size(tmp_path, gray):
    group = opened(tmp_path / "a.zarr", 3)
    write_image(group, [gray], axes_of("yx"), datasets=[{"path": "0"}])
    assert images.read(tmp_path / "a.zarr").pixel_size_um is None


# Layouts of several images.


@FORMATS
def test_fields_of_a_plate_are_scenes(tmp_path, zarr_format):
    path = write_plate(tmp_path / "p.zarr", {"A/1": [5, 6], "B/12": [7]}, zarr_format)
    assert [scene.name for scene in images.describe(path)] == ["A01_f0", "A01_f1", "B12_f0"]
    assert images.read(path, scene="B12_f0").pixels[0, 0] == 7
    with pytest.raises(ImageError, match=r"3 scenes: 0 'A01_f0' \(44 x 36 px\)"):
        images.read_image(path)
    # A well, or a field, can be named as a folder of its own.
    assert [scene.name for scene in images.describe(path / "A/1")] == ["f0", "f1"]
    assert images.read_image(path / "A/1/1")[0, 0] == 6


def test_a_missing_field_of_a_plate_is_said(tmp_path):
    path = write_plate(tmp_path / "p.zarr", {"A/1": [5, 6], "A/2": [7]}, 2)
    shutil.rmtree(path / "A/2")
    shutil.rmtree(path / "A/1/1")
    image = images.read(path, scene=0)
    assert image.scene == "A01_f0"
    assert image.notes == ("2 listed images are missing, A/1/1 first",)


def test_a_plate_that_is_written_on_is_described_anew(tmp_path):
    path = write_plate(tmp_path / "p.zarr", {"A/1": [5]}, 3)
    assert len(images.describe(path)) == 1
    shutil.rmtree(path)
    write_plate(path, {"A/1": [5], "A/2": [6]}, 3)
    assert len(images.describe(path)) == 2


@FORMATS
@pytest.mark.parametrize("listed", [True, False])
def test_numbered_images_of_bioformats2raw_are_scenes(tmp_path, zarr_format, listed):
    root = opened(tmp_path / "a.zarr", zarr_format)
    put(root, {"bioformats2raw.layout": 3})
    if listed:
        put(root.create_group("OME"), {"series": ["10", "9"]})
    for number in ("10", "9"):
        pixels = np.full((H, W), int(number), np.uint8)
        write_image(root.create_group(number), [pixels], axes_of("yx"), name=f"image {number}")
    order = ["image 10", "image 9"] if listed else ["image 9", "image 10"]
    assert [scene.name for scene in images.describe(tmp_path / "a.zarr")] == order
    assert images.read(tmp_path / "a.zarr", scene="Image 9").pixels[0, 0] == 9


# What is wrong.


@FORMATS
def test_a_store_of_something_else_is_named(tmp_path, zarr_format):
    group = opened(tmp_path / "a.zarr", zarr_format)
    with pytest.raises(ImageError, match=r"a\.zarr: a Zarr store that does not describe an image"):
        images.read_image(tmp_path / "a.zarr")
    group.create_array("0", shape=(2, 2), dtype="u1")
    with pytest.raises(ImageError, match="an array of a Zarr store; name the folder of its image"):
        images.read_image(tmp_path / "a.zarr" / "0")


def test_a_missing_level_is_named(tmp_path, gray):
    write_image(opened(tmp_path / "a.zarr", 2), [gray], axes_of("yx"))
    shutil.rmtree(tmp_path / "a.zarr" / "0")
    with pytest.raises(ImageError, match=r"a\.zarr: damaged: 0 is missing"):
        images.read_image(tmp_path / "a.zarr")


@FORMATS
@pytest.mark.parametrize("codec", ["blosc", "zstd", "gzip"])
@pytest.mark.parametrize("share", [0.0, 0.02, 0.5, 0.99])
def test_a_chunk_that_was_cut_is_named(tmp_path, gray, zarr_format, codec, share):
    numcodecs_name = {"blosc": "Blosc", "zstd": "Zstd", "gzip": "GZip"}[codec]
    compressor = (
        getattr(numcodecs, numcodecs_name)()
        if zarr_format == 2
        else getattr(zarr.codecs, f"{numcodecs_name.replace('GZ', 'Gz')}Codec")()
    )
    group = opened(tmp_path / "a.zarr", zarr_format)
    write_image(group, [gray], axes_of("yx"), storage={"compressors": compressor})
    chunk = tmp_path / "a.zarr/0" / ("1.1" if zarr_format == 2 else "c/1/1")
    content = chunk.read_bytes()
    assert_same(images.read_image(tmp_path / "a.zarr"), gray)
    chunk.write_bytes(content[: int(share * len(content))])
    with pytest.raises(ImageError, match=r"a\.zarr: "):
        images.read_image(tmp_path / "a.zarr")


def test_chunks_in_shards_are_read(tmp_path, gray):
    group = opened(tmp_path / "a.zarr", 3)
    storage = {"shards": (48, 48), "compressors": zarr.codecs.BloscCodec()}
    write_image(group, [gray], axes_of("yx"), storage=storage)
    assert_same(images.read_image(tmp_path / "a.zarr"), gray)


def test_a_chunk_that_is_missing_is_noticed_in_the_pixels(tmp_path, rng):
    pixels = rng.integers(100, 200, (160, 160), np.uint8)
    write_image(opened(tmp_path / "a.zarr", 2), [pixels], axes_of("yx"))
    for chunk in (tmp_path / "a.zarr/0").glob("[6-9].*"):
        chunk.unlink()
    _, damage = images.repair(images.read_image(tmp_path / "a.zarr"))
    assert damage == ("the last 64 of 160 rows are exactly 0: half-written?",)


def test_damaged_metadata_are_named(tmp_path, gray):
    write_image(opened(tmp_path / "a.zarr", 2), [gray], axes_of("yx"))
    (tmp_path / "a.zarr" / ".zattrs").write_text("{")
    with pytest.raises(ImageError, match=r"a\.zarr: cannot be read"):
        images.read_image(tmp_path / "a.zarr")


@pytest.mark.parametrize(
    ("names", "said"), [("qzyx", "an axis of 2"), ("qqyx", "are not read"), ("tczy", "are not")]
)
def test_axes_that_are_not_read_are_refused(tmp_path, names, said):
    axes = [{"name": name, "type": "other"} for name in names]
    pixels = np.zeros((2, 2, H, W), np.uint8)
    write_image(opened(tmp_path / "a.zarr", 2), [pixels], axes, scale=[1, 1, 1, 1])
    with pytest.raises(ImageError, match=said):
        images.describe(tmp_path / "a.zarr")


def test_a_version_without_names_of_axes_is_refused(tmp_path, gray):
    more = {"axes": [], "version": "0.9"}
    write_image(opened(tmp_path / "a.zarr", 2), [gray], axes_of("yx"))
    group = zarr.open_group(tmp_path / "a.zarr")
    group.attrs["multiscales"] = [group.attrs["multiscales"][0] | more]
    with pytest.raises(ImageError, match="does not name its 2 axes"):
        images.describe(tmp_path / "a.zarr")


def test_a_missing_package_names_its_extra(store, monkeypatch):
    find_module = builtins.__import__

    def without(name, *arguments):
        if name.split(".")[0] == "zarr":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return find_module(name, *arguments)

    ome_zarr._levels.cache_clear()
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImageError, match=r'zarr: .*package zarr.*"spheroid-jax\[zarr\]"'):
        images.read_image(store)


# Folders as images.


def found(*arguments, output="out"):
    return [str(each.path) for each in find.find(arguments, output)]


def test_a_store_is_one_image_wherever_it_is_found(tmp_path, gray, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("day1/A01.zarr", "day1/A02.ome.zarr", "day3/A01.zarr"):
        write_image(opened(tmp_path / name, 2), [gray], axes_of("yx"))
    (tmp_path / "day1/A01.zarr/preview.png").touch()
    (tmp_path / "day1/b.zarr").mkdir()  # A name alone makes no store.
    (tmp_path / "day1/b.zarr/c.png").touch()
    day1 = ["day1/A01.zarr", "day1/A02.ome.zarr", "day1/b.zarr/c.png"]
    assert found("day1") == day1
    assert found("day1/*") == day1
    assert found("**/*") == [*day1, "day3/A01.zarr"]
    assert found("**/*.zarr") == [*day1, "day3/A01.zarr"]
    assert found("day1/A01.zarr") == found("day1/A01.zarr/") == ["day1/A01.zarr"]
    (image,) = find.find(["day1/A02.ome.zarr"], "out")
    assert str(image.output("out", ".png")) == "out/A02.ome.png"


def test_fields_of_a_plate_can_be_matched(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_plate(tmp_path / "p.zarr", {"A/1": [5, 6], "A/2": [7]}, 3)
    assert found("p.zarr/A/*") == ["p.zarr/A/1", "p.zarr/A/2"]
    assert found(".") == ["p.zarr"]
