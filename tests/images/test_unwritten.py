"""Tests of the search for parts of a picture that were never written, and of what is none."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spheroid_jax.images.unwritten import unwritten

H, W = 320, 448


@pytest.fixture
def picture(rng):
    """A noisy bright picture of 16 bits without a zero."""
    return rng.integers(100, 200, (H, W), np.uint16)


def tiles(pixels, side, order):
    """Yields the tiles of a picture as views, row by row or column by column."""
    tops, lefts = range(0, pixels.shape[0], side), range(0, pixels.shape[1], side)
    places = [(top, left) for top in tops for left in lefts]
    if order == "columns":
        places.sort(key=lambda place: place[::-1])
    for top, left in places:
        yield pixels[top : top + side, left : left + side]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (slice(200, None), "the last 120 of 320 rows"),
        (slice(0, 20), "the first 20 of 320 rows"),
        (slice(100, 164), "rows 100 to 163 of 320"),
    ],
)
@pytest.mark.parametrize("across", [False, True])
def test_strips_of_zeros_are_noticed(picture, rows, said, across):
    picture[rows] = 0
    if across:
        picture, said = picture.T, said.replace("rows", "columns")
    assert unwritten(picture) == (f"{said} are exactly 0: half-written?",)


def test_a_row_that_is_written_in_part_does_not_hide_the_rest(picture):
    picture.reshape(-1)[200 * W + 177 :] = 0
    assert unwritten(picture) == ("the last 119 of 320 rows are exactly 0: half-written?",)


@pytest.mark.parametrize("side", [64, 100, 128])
@pytest.mark.parametrize("order", ["rows", "columns"])
@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.7])
def test_tiles_that_follow_the_last_one_are_noticed(picture, side, order, share):
    found = list(tiles(picture, side, order))
    for tile in found[round(share * len(found)) :]:
        tile[:] = 0
    assert unwritten(picture)


def test_a_tile_inside_is_noticed(picture):
    picture[128:192, 64:192] = 0
    share = 100 * 64 * 128 / (H * W)
    said = f"blocks of {share:.2g} % of the picture are exactly 0: half-written?"
    assert unwritten(picture) == (said,)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint32, np.float32])
def test_number_types_and_colours_count_alike(picture, dtype):
    picture[200:] = 0
    expected = unwritten(picture)
    assert expected
    assert unwritten(picture.astype(dtype)) == expected
    assert unwritten(np.dstack([picture] * 3).astype(dtype)) == expected


def test_a_colour_without_one_channel_is_written(picture):
    picture[200:] = 0
    assert unwritten(np.dstack([picture, np.full_like(picture, 3), picture])) == ()


@pytest.mark.parametrize("kind", ["whole", "two dead rows", "zeros", "one colour", "frame"])
def test_ordinary_pictures_are_left_alone(picture, kind):
    if kind == "two dead rows":
        picture[[0, 77, 78]] = 0
    elif kind == "zeros":
        picture[:] = 0
    elif kind == "one colour":
        picture[:] = 7
    elif kind == "frame":
        # A mosaic is padded to a rectangle.
        picture[-30:] = 0
        picture[:, :40] = 0
        picture[:9] = 0
    assert unwritten(picture) == ()


def test_bars_and_labels_in_a_picture_are_left_alone(picture):
    picture[-12:-4, 20:150] = 0  # A scale bar.
    picture[20:50, 300:420] = 0  # The ground of a label.
    picture[25:45:4, 310:410] = 255  # Its text.
    assert unwritten(picture) == ()


def disk(radius):
    rows, columns = np.mgrid[:H, :W]
    return np.hypot(rows - H / 2, columns - W / 2) < radius


@pytest.mark.parametrize("radius", [40, 100, 170, 260])
def test_the_outside_of_a_round_well_is_left_alone(picture, radius):
    picture[~disk(radius)] = 0
    assert unwritten(picture) == ()


@pytest.mark.parametrize("radius", [30, 60, 90])
def test_a_black_body_is_left_alone(picture, radius):
    picture[disk(radius)] = 0
    assert unwritten(picture) == ()


@pytest.mark.parametrize("slope", [0.05, 0.2, 1.0])
def test_the_corners_of_a_turned_picture_are_left_alone(picture, slope):
    rows, columns = np.mgrid[:H, :W]
    picture[rows + slope * columns < 0.25 * H] = 0
    assert unwritten(picture) == ()


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    mean=st.floats(0.01, 6),
    spread=st.floats(0, 3),
    vignette=st.floats(0, 1),
    radius=st.floats(10, 150),
)
def test_a_dark_picture_is_never_noticed(seed, mean, spread, vignette, radius):
    """Few photons, read noise that is clipped at 0, a darker rim, a darker body."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:H, :W]
    far = np.hypot(rows / H - 0.5, columns / W - 0.5)
    light = mean * (1 - vignette * far) * np.where(disk(radius), 0.2, 1.0)
    counts = rng.poisson(light.clip(0)) + rng.normal(0, spread, light.shape)
    assert unwritten(counts.round().clip(0, 255).astype(np.uint8)) == ()
