"""Tests of the augmentation: geometry, intensities, normalisation, and random draws."""

import functools
import math

import jax
import numpy as np
import pytest
import scipy.ndimage
from helpers import disk
from jax import numpy as jnp

from configs import adver
from spheroid_jax import images
from spheroid_jax.training import augment
from spheroid_jax.training.augment import Strengths

SIZE = 64
CENTRE = np.array([SIZE - 1, SIZE - 1]) / 2
EVERYTHING = Strengths(
    scale=0.5,
    shift=0.2,
    rotate=180.0,
    stretch=0.3,
    elastic=0.02,
    gamma=0.5,
    invert=0.5,
    illumination=0.3,
    blur=1.0,
    noise=0.05,
)


LAYERS = ("image", "mask", "counted", "parts")


def make_sample(centre=CENTRE, radius=12):
    """Returns a dark disk on a bright slope, with a part of half its radius.

    No pixel has the value of its neighbour, and all count.
    """
    mask = disk(SIZE, centre, radius)
    slope = np.linspace(0, 0.2, SIZE, dtype=np.float32)
    image = np.where(mask, 0.0, 0.8) + slope[:, None] / 2 + slope[None] / 2
    return (
        image.astype(np.float32),
        mask,
        np.ones_like(mask),
        disk(SIZE, centre, radius / 2)[..., None],
    )


def normalise(image, counted):
    """Normalises a NumPy array with `augment.normalise`."""
    return augment.normalise(jnp.asarray(image), jnp.asarray(counted))


def make_batch(count):
    samples = [make_sample(CENTRE + [n, -2 * n]) for n in range(count)]
    return dict(zip(LAYERS, map(np.stack, zip(*samples, strict=True)), strict=True))


@functools.cache
def compiled(strengths, seed=0):
    change = augment.make_augment(strengths, seed=seed)

    @jax.jit
    def changed(batch, step):
        return dict(zip(LAYERS, change(*(batch[name] for name in LAYERS), step), strict=True))

    return changed


@functools.cache
def compiled_sample(strengths):
    return jax.jit(functools.partial(augment.augment_sample, strengths))


@pytest.fixture
def largest(monkeypatch):
    """Makes augmentation draw the largest value of each strength instead of a random value."""

    def change(sample, **strengths):
        function = functools.partial(augment.augment_sample, Strengths(**strengths))
        return jax.device_get(jax.jit(function)(jax.random.key(0), *sample))

    monkeypatch.setattr(augment, "_log_uniform", lambda key, s: 1.0 + s)
    monkeypatch.setattr(augment, "_signed_uniform", lambda key, shape=(): jnp.ones(shape))
    return change


def centroid(mask):
    return np.argwhere(mask).mean(0)


def test_all_off_is_no_augmentation():
    assert augment.make_augment(Strengths(), seed=0) is None


def test_the_paper_s_config_names_each_strength_and_turns_it_off():
    assert Strengths(**adver.get_config().augment) == Strengths()


# Geometry.


@pytest.mark.parametrize("scale", [0.25, 0.6])
def test_zooming_scales_the_area_and_the_distance_from_the_centre(largest, scale):
    centre = CENTRE + [-6, 3]
    sample = make_sample(centre)
    image, mask, counted, _ = largest(sample, scale=scale)
    zoom = 1 + scale
    assert mask.sum() == pytest.approx(zoom**2 * sample[1].sum(), rel=0.02)
    np.testing.assert_allclose(centroid(mask) - CENTRE, zoom * (centre - CENTRE), atol=0.2)
    assert counted.all()
    assert np.mean((image < 0.5) == mask) > 0.99


def test_shifting_moves_image_and_mask_and_what_counts(largest):
    sample = make_sample()
    image, mask, counted, _ = largest(sample, shift=0.25)
    moved = SIZE // 4
    np.testing.assert_allclose(centroid(mask), CENTRE + moved, atol=1e-3)
    assert mask.sum() == sample[1].sum()
    expected = np.zeros_like(counted)
    expected[moved:, moved:] = True
    np.testing.assert_array_equal(counted, expected)
    # Pixels beyond the frame repeat the edge.
    np.testing.assert_allclose(image[:moved], image[[moved]].repeat(moved, 0))
    content = sample[0][:-moved, :-moved]
    np.testing.assert_allclose(image[moved:, moved:], images.normalise(content), atol=1e-4)


@pytest.mark.parametrize("quarters", [1, 2])
def test_rotating_by_a_right_angle_is_that_of_numpy(largest, quarters):
    image, mask, counted, parts = make_sample(CENTRE + [-14, 6], 8)
    counted[:, :5] = False
    actual = largest((image, mask, counted, parts), rotate=90.0 * quarters)
    assert actual[1].any()
    for array, before in zip(actual[1:], (mask, counted, parts), strict=True):
        np.testing.assert_array_equal(array, np.rot90(before, quarters))
    expected = normalise(image, counted)
    np.testing.assert_allclose(actual[0], np.rot90(expected, quarters), atol=1e-3)


def test_stretching_keeps_the_area_and_sets_the_ratio_of_the_axes(largest):
    sample = make_sample()
    _, mask, *_ = largest(sample, stretch=0.5)
    assert mask.sum() == pytest.approx(sample[1].sum(), rel=0.02)
    short, long = np.sqrt(np.linalg.eigvalsh(np.cov(np.argwhere(mask).T)))
    assert long / short == pytest.approx(1.5, rel=0.03)


def test_elastic_displacements_bend_image_and_mask_alike():
    sample = make_sample()
    areas = []
    for n in range(8):
        image, mask, *_ = compiled_sample(Strengths(elastic=0.03))(jax.random.key(n), *sample)
        areas.append(int(mask.sum()))
        assert np.mean((image < 0.5) == mask) > 0.98
        assert scipy.ndimage.label(mask)[1] == 1
    assert len(set(areas)) > 4
    assert np.mean(areas) == pytest.approx(sample[1].sum(), rel=0.2)


def test_what_did_not_count_does_not_count_wherever_it_comes(largest):
    image, mask, counted, parts = make_sample(CENTRE + [0, -10])
    counted[:, :20] = False  # Through the body.
    _, moved_mask, moved, _ = largest((image, mask, counted, parts), shift=0.25)
    assert not moved[:, : 20 + SIZE // 4].any()
    assert moved[SIZE // 4 :, 20 + SIZE // 4 :].all()
    assert moved_mask.any() and not (moved_mask & ~moved).any()


def test_the_body_s_centroid_stays_in_the_frame():
    sample = make_sample(CENTRE + [20, 20], 6)
    far = Strengths(scale=2.0, shift=0.5, rotate=180.0)
    keys = jax.random.split(jax.random.key(0), 64)
    masks = jax.jit(
        jax.vmap(functools.partial(augment.augment_sample, far), (0, None, None, None, None))
    )(keys, *sample)[1]
    assert np.asarray(masks).any((1, 2)).all()


def test_an_empty_mask_stays_empty():
    image, mask, counted, parts = make_sample()
    changed = compiled_sample(EVERYTHING)(
        jax.random.key(0), image, mask & False, counted, parts & False
    )
    assert not changed[1].any() and changed[2].any()
    assert np.isfinite(changed[0]).all()


# Intensities.


def test_inversion_is_one_minus_the_image():
    image, mask, counted, parts = make_sample()
    invert = compiled_sample(Strengths(invert=1.0))
    changed = invert(jax.random.key(0), image, mask, counted, parts)
    np.testing.assert_allclose(changed[0], 1 - normalise(image, counted), atol=1e-6)


@pytest.mark.parametrize(
    "strengths",
    [Strengths(gamma=0.5), Strengths(illumination=0.5), Strengths(blur=5.0), Strengths(noise=0.5)],
    ids=["gamma", "illumination", "blur", "noise"],
)
def test_intensities_change_and_stay_normalised_where_the_mask_does_not(strengths):
    image, mask, counted, parts = make_sample()
    changed = compiled_sample(strengths)(jax.random.key(3), image, mask, counted, parts)
    np.testing.assert_array_equal(changed[1], mask)
    np.testing.assert_array_equal(changed[2], counted)
    plain = normalise(image, counted)
    assert np.abs(changed[0] - plain).max() > 0.01
    assert float(changed[0].min()) == 0 and float(changed[0].max()) == 1


def test_gamma_is_an_exponent(largest):
    sample = make_sample()
    image, _, counted, _ = largest(sample, gamma=1.0)
    np.testing.assert_allclose(image, normalise(sample[0] ** 2, counted), atol=1e-6)


@pytest.mark.parametrize("deviation", [0.0, 0.7, 2.0])
def test_blur_is_that_of_scipy_within_the_frame(rng, deviation):
    image = rng.random((SIZE, SIZE)).astype(np.float32)
    inside = (slice(10, -10),) * 2
    np.testing.assert_allclose(
        augment._blurred(image, jnp.float32(deviation))[inside],
        scipy.ndimage.gaussian_filter(image, deviation, truncate=5)[inside],
        atol=1e-5,
    )


def test_blur_keeps_a_constant_up_to_the_edge():
    blurred = augment._blurred(jnp.full((SIZE, SIZE), 0.3), 2.0)
    np.testing.assert_allclose(blurred, 0.3, rtol=1e-5)


@pytest.mark.parametrize("field", [augment._smooth_field, augment._uneven_light])
def test_fields_have_mean_0_and_deviation_1_and_are_smooth(field):
    keys = jax.random.split(jax.random.key(0), 300)
    fields = np.asarray(jax.jit(jax.vmap(lambda key: field(key, 32)))(keys))
    assert abs(fields.mean()) < 0.1
    assert fields.std() == pytest.approx(1, rel=0.1)
    assert np.abs(np.diff(fields, axis=1)).mean() < 0.3


# Normalisation.


def test_normalisation_is_that_of_inference(rng):
    image = rng.normal(3, 2, (SIZE, SIZE)).astype(np.float32)
    np.testing.assert_allclose(
        normalise(image, np.ones_like(image, bool)), images.normalise(image), atol=1e-5
    )


def test_normalisation_looks_at_what_counts_alone(rng):
    image = rng.random((SIZE, SIZE)).astype(np.float32)
    counted = np.ones_like(image, bool)
    counted[:, 40:] = False
    expected = normalise(image, counted)
    np.testing.assert_allclose(expected[:, :40], images.normalise(image[:, :40]), atol=1e-5)
    np.testing.assert_array_equal(
        normalise(np.where(counted, image, 99), counted)[:, :40], expected[:, :40]
    )


def test_a_small_body_on_a_flat_background_is_normalised_by_its_extremes():
    image = np.where(disk(SIZE, CENTRE, 2), 0.2, 0.7).astype(np.float32)
    np.testing.assert_allclose(
        normalise(image, np.ones_like(image, bool)), images.normalise(image), atol=1e-6
    )


def test_a_large_image_is_normalised_by_every_other_pixel(rng):
    image = rng.random((150, 150)).astype(np.float32)
    np.testing.assert_allclose(
        normalise(image, np.ones_like(image, bool)), images.normalise(image), atol=0.02
    )


def test_a_constant_image_is_no_division_by_zero():
    image = jnp.full((SIZE, SIZE), 0.4)
    normalised = normalise(image, jnp.ones_like(image, bool))
    assert np.isfinite(normalised).all()


# Draws.


def test_a_sample_depends_on_seed_and_number_whatever_the_batch():
    batch = make_batch(4)
    together = compiled(EVERYTHING)(batch, 3)
    for n, step in [(0, 6), (2, 7)]:
        half = jax.tree.map(lambda leaf, n=n: leaf[n : n + 2], batch)
        apart = compiled(EVERYTHING)(half, step)
        for name in batch:
            np.testing.assert_allclose(apart[name], together[name][n : n + 2], atol=1e-5)


def test_step_seed_and_sample_draw_anew():
    batch = jax.tree.map(lambda leaf: leaf[[0, 0]], make_batch(1))
    first = compiled(EVERYTHING)(batch, 0)
    again = compiled(EVERYTHING)(batch, 0)
    np.testing.assert_array_equal(first["image"], again["image"])
    others = [
        compiled(EVERYTHING)(batch, 1)["image"][0],
        compiled(EVERYTHING, seed=1)(batch, 0)["image"][0],
        first["image"][1],
    ]
    for other in others:
        assert np.abs(other - first["image"][0]).max() > 0.1


def test_draws_cover_their_range_both_ways():
    keys = jax.random.split(jax.random.key(0), 500)
    zooms = np.asarray(jax.vmap(lambda k: augment._log_uniform(k, 0.5))(keys))
    assert 1 / 1.5 <= zooms.min() < 0.7 and 1.45 < zooms.max() <= 1.5
    assert np.log(zooms).mean() == pytest.approx(0, abs=0.05)
    assert np.log(zooms).std() == pytest.approx(math.log(1.5) / math.sqrt(3), rel=0.1)


def test_the_step_is_told_which_pixels_count():
    changed = compiled(EVERYTHING)(make_batch(2), 0)
    assert changed["mask"].dtype == changed["counted"].dtype == bool
    assert changed["image"].dtype == np.float32
    assert set(np.unique(changed["counted"])) == {False, True}
    assert not (changed["mask"] & ~changed["counted"]).any()
