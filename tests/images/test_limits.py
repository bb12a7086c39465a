"""Tests of the largest picture that is read: refused before memory is taken, for every format."""

import struct
import tracemalloc
import types
import zlib

import nd2
import numpy as np
import pytest
import tifffile
from leica import lif
from pictures import H, W, saved
from PIL import Image
from pylibCZIrw import czi
from stores import axes_of, opened, write_image

from spheroid_jax import images
from spheroid_jax.commands import measure, segment
from spheroid_jax.images import ImageError
from spheroid_jax.report import sheets

SIDE = 60_000


def png(folder, gray):
    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(b"")), (b"IEND", b""))
    path = folder / "a.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*each) for each in chunks))
    return path


def jpeg(folder, gray):
    path = saved(folder / "a.jpg", gray)
    sides = struct.pack(">HH", H, W)
    path.write_bytes(path.read_bytes().replace(sides, struct.pack(">HH", SIDE, SIDE), 1))
    return path


def bmp(folder, gray):
    path = saved(folder / "a.bmp", gray)
    sides = struct.pack("<ii", W, H)
    path.write_bytes(path.read_bytes().replace(sides, struct.pack("<ii", SIDE, SIDE), 1))
    return path


def gif(folder, gray):
    path = saved(folder / "a.gif", gray)
    sides = struct.pack("<HH", W, H)
    path.write_bytes(path.read_bytes().replace(sides, struct.pack("<HH", SIDE, SIDE)))
    return path


def tiff(folder, gray, tags=((256, SIDE), (257, SIDE)), **options):
    path = folder / "a.tif"
    tifffile.imwrite(path, gray, **options)
    with tifffile.TiffFile(path, mode="r+") as file:
        for code, value in tags:
            file.pages[0].tags[code].overwrite(value, erase=False)
    return path


def tiff_lzw(folder, gray):
    return tiff(folder, gray, compression="lzw")


def tiff_jpeg(folder, gray):
    return tiff(folder, gray, compression="jpeg")


def tiff_of_huge_tiles(folder, gray):
    return tiff(folder, gray, ((322, SIDE), (323, SIDE)), tile=(64, 64), compression="zlib")


def tiff_of_many_samples(folder, gray):
    pixels = np.dstack([gray] * 2)
    side = 7_000
    tags = ((256, side), (257, side), (277, 2_000))
    return tiff(folder, pixels, tags, photometric="minisblack", planarconfig="contig")


def tiff_stack(folder, gray):
    path = folder / "a.tif"
    tifffile.imwrite(path, np.stack([gray] * 3), imagej=True, metadata={"axes": "CYX"})
    with tifffile.TiffFile(path, mode="r+") as file:
        for code in (256, 257):
            file.pages[0].tags[code].overwrite(SIDE, erase=False)
    return path


def zarr_of_huge_sides(folder, gray):
    write_image(opened(folder / "a.zarr", 2), [gray], axes_of("yx"))
    return _changed(folder / "a.zarr", f'"shape": [\n    {H},\n    {W}\n  ]', "shape")


def zarr_of_huge_chunks(folder, gray):
    write_image(opened(folder / "a.zarr", 2), [gray], axes_of("yx"))
    return _changed(folder / "a.zarr", '"chunks": [\n    16,\n    16\n  ]', "chunks")


def _changed(path, old, name):
    text = (path / "0/.zarray").read_text()
    assert old in text
    (path / "0/.zarray").write_text(text.replace(old, f'"{name}": [{SIDE}, {SIDE}]'))
    return path


def czi_of_two_far_corners(folder, gray):
    path = folder / "a.czi"
    with czi.create_czi(str(path)) as file:
        for place in ((0, 0), (SIDE, SIDE)):
            file.write(gray[..., None], plane={"C": 0}, location=place)
    return path


def lif_of_huge_sides(folder, gray):
    pixels = {"a": gray.astype(np.uint16)}
    return lif(folder / "a.lif", pixels, 1, claimed=(SIDE, SIDE))


@pytest.mark.parametrize(
    "make",
    [
        *(png, jpeg, bmp, gif, tiff, tiff_lzw, tiff_jpeg, tiff_of_huge_tiles),
        *(tiff_of_many_samples, tiff_stack, zarr_of_huge_sides, zarr_of_huge_chunks),
        *(czi_of_two_far_corners, lif_of_huge_sides),
    ],
)
def test_a_false_header_takes_no_memory(tmp_path, gray, make):
    path = make(tmp_path, gray)
    options = {"channel": 0} if make in (tiff_of_many_samples, tiff_stack) else {}
    tracemalloc.start()
    try:
        with pytest.raises(ImageError, match=r"x \d+ px.*at most 400 million.*--max-megapixels"):
            images.read(path, **options)
        assert tracemalloc.get_traced_memory()[1] < 2e7
    finally:
        tracemalloc.stop()


def test_a_false_header_of_nd2_takes_no_memory(tmp_path, monkeypatch):
    # No library writes ND2, so the package's own class is replaced.
    class File:
        sizes = {"Y": SIDE, "X": SIDE}
        metadata = types.SimpleNamespace(channels=[])
        dtype = np.uint16

        def __init__(self, path):
            pass

        def __enter__(self):
            return self

        def __exit__(self, *error):
            pass

        def voxel_size(self):
            return types.SimpleNamespace(x=1.0)

    monkeypatch.setattr(nd2, "ND2File", File)
    (tmp_path / "a.nd2").write_bytes(b"\xda\xce\xbe\x0a")
    with pytest.raises(ImageError, match=r"60000 x 60000 px.*--max-megapixels"):
        images.read_image(tmp_path / "a.nd2")


def test_a_picture_of_207_million_pixels_is_read_by_default(tmp_path):
    side = 14_400
    Image.new("L", (side, side), 7).save(tmp_path / "a.png", compress_level=1)
    pixels = images.read_image(tmp_path / "a.png")
    assert pixels.shape == (side, side) and pixels[-1, -1] == 7


def test_the_limit_can_be_chosen(tmp_path, gray):
    path = saved(tmp_path / "a.png", gray)
    assert images.read(path, max_pixels=H * W).pixels.shape == (H, W)
    with pytest.raises(ImageError, match=r"44 x 36 px; .*at most 0\.001583 million"):
        images.read(path, max_pixels=H * W - 1)


def test_the_commands_have_an_option(plate, capsys):
    for command in (measure.main, segment.main):
        assert command([str(plate), "--max-megapixels", "0.004"]) == 1
        said = capsys.readouterr().err
        assert said.count("64 x 64 px; pictures of at most 0.004 million pixels") == 4
    rows = sheets.read_csv(plate.parent / "results" / "images.csv")
    assert {row["verdict"] for row in rows} == {"unreadable"}
    assert measure.main([str(plate), "--max-megapixels", "0.0041"]) == 0
    # A higher limit leaves what was measured as it is.
    capsys.readouterr()
    assert measure.main([str(plate), "--max-megapixels", "1"]) == 0
    assert "4 of the images were done" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        measure.main([str(plate), "--max-megapixels", "0"])
    assert "--max-megapixels" in capsys.readouterr().err
