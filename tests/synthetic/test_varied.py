"""Tests of domain randomisation: a wide range of images, with masks that fit the images."""

import functools

import numpy as np
import pytest
from scipy import ndimage

from spheroid_jax.synthetic import camera, drawing, varied

SIZE, COUNT = 96, 80


@functools.cache
def _draw(index, seed=0, size=SIZE):
    return varied.make_image(index, seed=seed, size=size)


def _contrast(image, mask):
    """Returns the mean grey level inside the mask minus the mean around the mask."""
    near = ndimage.binary_dilation(mask, iterations=6) & ~mask
    return float(image[mask].mean()) - float(image[near].mean())


def test_types_and_sizes():
    image, mask = _draw(0, size=65)
    assert image.shape == mask.shape
    assert max(image.shape) == 65
    assert (image.dtype, mask.dtype) == (np.uint8, np.bool_)


def test_an_image_is_a_function_of_seed_and_index():
    image, mask = _draw(3)
    again, mask_again = varied.make_image(3, seed=0, size=SIZE)
    np.testing.assert_array_equal(image, again)
    np.testing.assert_array_equal(mask, mask_again)
    for other in (_draw(4), _draw(3, seed=1)):
        height, width = np.minimum(image.shape, other[0].shape)
        same = image[:height, :width] == other[0][:height, :width]
        assert np.mean(same) < 0.7


def test_square_and_oblong_frames_occur():
    shapes = [_draw(n)[0].shape for n in range(COUNT)]
    assert {max(shape) for shape in shapes} == {SIZE}
    ratios = {round(width / height, 1) for height, width in shapes}
    assert {1.0, 1.3, 1.8} < ratios and min(ratios) < 1


def test_nearly_every_image_shows_something():
    flat = [n for n in range(COUNT) if np.ptp(_draw(n)[0].astype(int)) < 20]
    assert len(flat) <= COUNT // 50, flat


def test_bodies_cover_1_to_60_percent_of_the_frame():
    areas = np.array([_draw(n)[1].mean() for n in range(COUNT)])
    assert areas.min() > 0.005
    assert areas.max() < 0.85  # several bodies together
    assert np.mean(areas < 0.03) > 0.1
    assert np.mean(areas > 0.3) > 0.1


def test_both_signs_of_contrast_and_pale_bodies_occur():
    contrasts = np.array([_contrast(*_draw(n)) for n in range(COUNT)])
    assert np.mean(contrasts < -25) > 0.3
    assert np.mean(contrasts > 25) > 0.08
    assert np.mean(np.abs(contrasts) < 25) > 0.08


def test_several_bodies_cut_bodies_and_elongated_ones_occur():
    several = cut = long = 0
    for n in range(COUNT):
        mask = _draw(n)[1]
        labels, count = ndimage.label(mask)
        several += count > 1
        border = np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]])
        cut += border.any()
        largest = labels == 1 + np.argmax(np.bincount(labels.ravel())[1:])
        spread = np.linalg.eigvalsh(np.cov(np.nonzero(largest)))
        long += spread[1] > 6 * spread[0]
    assert min(several, cut, long) >= COUNT // 20


def test_the_mask_s_contour_lies_where_the_image_changes():
    # If each mask belongs to its image, grey levels change more at the contour than elsewhere.
    ratios = []
    for n in range(COUNT):
        image, mask = _draw(n)
        steepness = ndimage.gaussian_gradient_magnitude(image.astype(float), 1)
        edge = mask ^ ndimage.binary_erosion(mask, border_value=1)
        ratios.append(steepness[edge].mean() / steepness.mean())
    assert np.median(ratios) > 2
    assert np.mean(np.array(ratios) > 1) > 0.85


@pytest.mark.parametrize("index", range(5))
def test_bodies_are_without_holes(index):
    mask = _draw(index)[1]
    np.testing.assert_array_equal(ndimage.binary_fill_holes(mask), mask)


def test_the_camera_keeps_shape_and_spans_what_it_is_given():
    rng = np.random.default_rng(0)
    light = drawing.field(rng, 80, 4) ** 2 + 0.5
    seen = [camera.expose(np.random.default_rng(n), light) for n in range(40)]
    assert {image.shape for image in seen} == {(80, 80)}
    # Some images are inverted, and no two images are equal.
    signs = [np.corrcoef(image.ravel(), light.ravel())[0, 1] for image in seen]
    assert min(signs) < -0.5
    assert np.mean(np.array(signs) > 0.5) > 0.6
    assert len({image.tobytes() for image in seen}) == len(seen)


def test_a_field_has_unit_variance_and_the_knots_asked_for():
    rng = np.random.default_rng(1)
    smooth = np.stack([drawing.field(rng, 64, 4) for _ in range(200)])
    fine = np.stack([drawing.field(rng, 64, 30) for _ in range(200)])
    assert abs(smooth.std() - 1) < 0.1

    # In the finer field, the correlation decreases over a shorter distance.
    def near(fields):
        return np.mean(fields[:, :, :-6] * fields[:, :, 6:])

    assert near(smooth) > 0.6 > 0.3 > near(fine)
