"""Tests of the losses and pixel weights against optax and values computed by hand."""

import math

import jax
import numpy as np
import optax
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from jax import numpy as jnp
from jaxtyping import TypeCheckError

from spheroid_jax import images
from spheroid_jax.training import losses
from spheroid_jax.training.losses import FAKE, REAL

LOG2 = math.log(2)
# Compiled, because otherwise each of many small operations would be compiled alone.
cross_entropy = jax.jit(losses.weighted_cross_entropy)
cross_entropy_gradient = jax.jit(jax.grad(losses.weighted_cross_entropy))


@pytest.fixture
def batch(rng):
    """Returns logits, masks and weights of three images of 4 x 5 pixels."""
    logits = rng.normal(0, 3, (3, 4, 5, 2)).astype(np.float32)
    mask = rng.random((3, 4, 5)) < 0.3
    weight = rng.uniform(0.1, 5, (3, 4, 5)).astype(np.float32)
    return logits, mask, weight


# The weighted spatial cross entropy.


def test_cross_entropy_by_hand():
    # Probabilities of the foreground: 3/4, 1/2 and 1/5.
    logits = jnp.log(jnp.array([[[[1.0, 3.0], [1.0, 1.0], [4.0, 1.0]]]]))
    mask = jnp.array([[[True, False, True]]])
    weight = jnp.array([[[2.0, 1.0, 5.0]]])
    expected = (2 * math.log(4 / 3) + LOG2 + 5 * math.log(5)) / 3
    loss = cross_entropy(logits, mask, weight)
    assert loss.shape == ()
    assert float(loss) == pytest.approx(expected, rel=1e-6)


def test_cross_entropy_agrees_with_optax(batch):
    logits, mask, weight = batch
    pixel = optax.softmax_cross_entropy_with_integer_labels(logits, mask.astype(np.int32))
    np.testing.assert_allclose(
        cross_entropy(logits, mask, weight),
        np.mean(weight * np.asarray(pixel, np.float64)),
        rtol=1e-5,
    )


def test_cross_entropy_is_the_mean_of_the_images(batch):
    alone = [cross_entropy(*(a[n : n + 1] for a in batch)) for n in range(3)]
    together = cross_entropy(*batch)
    np.testing.assert_allclose(together, np.mean(alone), rtol=1e-6)


def test_loss_is_linear_in_the_weights(batch):
    logits, mask, weight = batch
    np.testing.assert_allclose(
        cross_entropy(logits, mask, weight * 7), 7 * cross_entropy(logits, mask, weight), rtol=1e-5
    )


def test_margin_of_weight_zero_does_not_change_the_loss(batch):
    logits, mask, weight = batch
    margin = ((0, 0), (3, 0), (1, 2))
    np.testing.assert_allclose(
        cross_entropy(
            np.pad(logits, (*margin, (0, 0)), constant_values=5),
            np.pad(mask, margin, constant_values=True),
            np.pad(weight, margin),
        ),
        cross_entropy(logits, mask, weight),
        rtol=1e-6,
    )


def test_pixel_of_weight_zero_has_no_say(batch):
    logits, mask, weight = batch
    weight[:, 0, 0] = 0
    moved = logits.copy()
    moved[:, 0, 0, 1] += 7
    np.testing.assert_array_equal(
        cross_entropy(moved, mask, weight), cross_entropy(logits, mask, weight)
    )
    gradient = cross_entropy_gradient(logits, mask, weight)
    assert not gradient[:, 0, 0].any()
    assert gradient[:, 1:].all()


def test_weights_of_equation_1_give_both_classes_an_equal_say():
    # 4 foreground pixels of 100: W_fg = 1 x 96 / 4. The paper then multiplies
    # by 3, and the foreground has three times the say.
    mask = np.zeros((1, 10, 10), bool)
    mask[0, 4:6, 4:6] = True
    undecided = np.zeros((1, 10, 10, 2), np.float32)
    for factor in (1, 3):
        weight = np.where(mask, factor * 96 / 4, 1).astype(np.float32)
        gradient = cross_entropy_gradient(undecided, mask, weight)
        pull = np.abs(np.asarray(gradient)).sum(-1)
        ratio = pull[mask].sum() / pull[~mask].sum()
        assert ratio == pytest.approx(factor, rel=1e-5)


def test_extreme_logits_give_finite_loss_and_gradient():
    logits = np.array([[[[1e4, -1e4], [-1e4, 1e4]]]], np.float32)
    weight = np.ones((1, 1, 2), np.float32)
    mask = np.array([[[False, True]]])
    for truth, expected in ((mask, 0), (~mask, 2e4)):
        loss = cross_entropy(logits, truth, weight)
        assert float(loss) == pytest.approx(expected)
        gradient = cross_entropy_gradient(logits, truth, weight)
        assert np.isfinite(gradient).all()


@pytest.mark.parametrize("odd", ["mask", "weight"])
def test_mask_or_weight_of_another_shape_is_refused(batch, odd):
    logits, mask, weight = batch
    arrays = {"mask": mask, "weight": weight}
    arrays[odd] = arrays[odd][:, :1]  # it would broadcast
    with pytest.raises((AssertionError, TypeCheckError)):
        cross_entropy(logits, **arrays)


# The adversary's binary cross entropy.


@pytest.mark.parametrize("label", [FAKE, REAL])
def test_binary_cross_entropy_by_hand(label):
    # Probabilities of being real: 4/5 and 1/2.
    logits = jnp.log(jnp.array([[1.0, 4.0], [2.0, 2.0]]))
    probability = {REAL: (4 / 5, 1 / 2), FAKE: (1 / 5, 1 / 2)}[label]
    expected = -sum(map(math.log, probability)) / 2
    loss = losses.binary_cross_entropy(logits, label)
    assert loss.shape == ()
    assert float(loss) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("label", [FAKE, REAL])
def test_binary_cross_entropy_agrees_with_optax(rng, label):
    logits = jnp.asarray(rng.normal(0, 5, (6, 2)), jnp.float32)
    expected = optax.softmax_cross_entropy_with_integer_labels(logits, jnp.full(6, label)).mean()
    np.testing.assert_allclose(losses.binary_cross_entropy(logits, label), expected, rtol=1e-6)


@pytest.mark.parametrize("shape", [(2,), (3, 1), (3, 3), (1, 4, 4, 2)])
def test_logits_that_are_not_two_an_image_are_refused(shape):
    with pytest.raises((AssertionError, TypeCheckError)):
        losses.binary_cross_entropy(jnp.zeros(shape), REAL)


def test_equation_2_by_hand():
    # Probabilities of the true class: 4/5 for the real mask, 3/4 for the fake one.
    real = jnp.log(jnp.array([[1.0, 4.0]]))
    fake = jnp.log(jnp.array([[3.0, 1.0]]))
    expected = math.log(5 / 4) + math.log(4 / 3)
    loss = losses.adversarial_loss(real, fake)
    assert float(loss) == pytest.approx(expected, rel=1e-6)
    # With exchanged arguments, the adversary errs on both, and its loss is larger.
    exchanged = losses.adversarial_loss(fake, real)
    assert float(exchanged) == pytest.approx(math.log(4) + math.log(5))


def test_undecided_adversary_pays_log_2_for_each_of_two_terms():
    loss = losses.adversarial_loss(jnp.zeros((3, 2)), jnp.zeros((3, 2)))
    assert float(loss) == pytest.approx(2 * LOG2)


def test_adversary_learns_from_both_its_inputs():
    real, fake = jax.grad(losses.adversarial_loss, argnums=(0, 1))(
        jnp.zeros((1, 2)), jnp.zeros((1, 2))
    )
    np.testing.assert_allclose(real, [[0.5, -0.5]], rtol=1e-6)
    np.testing.assert_allclose(fake, [[-0.5, 0.5]], rtol=1e-6)


def test_equation_3_by_hand():
    # The adversary gives the class "real" a probability of 1/5.
    fake = jnp.log(jnp.array([[4.0, 1.0]]))
    loss = losses.segmentation_loss(jnp.float32(0.7), fake, 0.1)
    assert float(loss) == pytest.approx(0.7 + 0.1 * math.log(5), rel=1e-6)


def test_lambda_of_zero_leaves_the_cross_entropy():
    loss = losses.segmentation_loss(jnp.float32(0.7), jnp.ones((2, 2)), 0.0)
    assert float(loss) == np.float32(0.7)


def test_segmentation_gains_where_it_is_taken_for_real():
    gradient = jax.grad(losses.segmentation_loss, argnums=1)(0.0, jnp.zeros((1, 2)), 0.1)
    np.testing.assert_allclose(gradient, [[0.05, -0.05]], rtol=1e-6)


# The soft Dice loss.

soft_dice = jax.jit(losses.soft_dice)


def test_dice_by_hand():
    # Probabilities of the foreground: 3/4, 1/2 and 1/5; the last pixel does not count.
    logits = jnp.log(jnp.array([[[[1.0, 3.0], [1.0, 1.0], [4.0, 1.0]]]]))
    mask = jnp.array([[[True, False, True]]])
    weight = jnp.array([[[9.0, 1.0, 0.0]]])
    expected = 1 - 2 * 0.75 / (0.75 + 0.5 + 1)
    assert float(soft_dice(logits, mask, weight)) == pytest.approx(expected)


def test_the_loss_of_markers_by_hand():
    # Probabilities 3/4, 1/2 and 1/5; the last pixel does not count.
    logits = jnp.log(jnp.array([[[3.0, 1.0, 0.25]]]))
    marker = jnp.array([[[True, False, True]]])
    counted = jnp.array([[[True, True, False]]])
    cross_entropy = -(math.log(0.75) + math.log(0.5)) / 2
    dice = 1 - 2 * 0.75 / (0.75 + 0.5 + 1)
    loss = jax.jit(losses.marker_loss)(logits, marker, counted)
    assert float(loss) == pytest.approx(cross_entropy + dice)


def test_the_loss_of_cores_by_hand():
    # Probabilities 3/4, 1/2 and 1/5; the last pixel is no body. The second image has no core.
    logits = jnp.log(jnp.array([[[3.0, 1.0, 0.25]], [[3.0, 1.0, 0.25]]]))
    core = jnp.array([[[True, False, False]], [[False, False, False]]])
    body = jnp.array([[[True, True, False]], [[True, True, True]]])
    loss = jax.jit(losses.core_loss)(logits, core, body)
    assert float(loss) == pytest.approx(-(math.log(0.75) + math.log(0.5)) / 2 / 2)


def test_dice_is_the_mean_of_the_images(batch):
    alone = [soft_dice(*(a[n : n + 1] for a in batch)) for n in range(3)]
    np.testing.assert_allclose(soft_dice(*batch), np.mean(alone), rtol=1e-6)


@pytest.mark.parametrize("truth", [True, False])
def test_dice_of_a_perfect_and_of_an_opposite_segmentation(truth):
    mask = np.full((1, 4, 5), truth)
    mask[0, 1:3, 1:3] = not truth
    logits = np.where(np.stack([~mask, mask], -1), 50.0, -50.0)
    weight = jnp.ones((1, 4, 5))
    assert float(soft_dice(logits, mask, weight)) == pytest.approx(0, abs=1e-6)
    assert float(soft_dice(-logits, mask, weight)) == pytest.approx(1)


def test_dice_of_nothing_found_in_an_empty_mask_is_finite():
    logits = jnp.broadcast_to(jnp.array([200.0, -200.0]), (1, 4, 5, 2))
    empty = jnp.zeros((1, 4, 5), bool)
    value, gradient = jax.value_and_grad(losses.soft_dice)(logits, empty, jnp.ones((1, 4, 5)))
    assert np.isfinite(value) and np.isfinite(gradient).all()


# Weights.


B, F, X = images.BACKGROUND, images.FOREGROUND, images.OUTSIDE


def balanced(label):
    """Returns the weights of one label image, compiled and in float32 as in training."""
    label = np.asarray(label, np.uint8)[np.newaxis]
    return np.asarray(jax.jit(losses.balanced_weight)(label == F, label != X))[0]


def equation_1(label):
    """Computes reference weights in float64, rounded once to float32."""
    foreground, background = np.count_nonzero(label == F), np.count_nonzero(label == B)
    ratio = 3 * background / foreground if foreground and background else 1.0
    by_label = np.zeros(3, np.float32)
    by_label[[B, F]] = 1.0, ratio
    return by_label[label]


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        # Equation 1: W_fg = N_bg / N_fg = 3 / 1, and that times 3.
        ([[F, B], [B, B]], [[9, 1], [1, 1]]),
        ([[F, F, F], [F, B, F]], [[0.6, 0.6, 0.6], [0.6, 1, 0.6]]),
        # What is outside the image counts neither way and weighs nothing.
        ([[X, F, B], [X, F, B], [X, B, B]], [[0, 6, 1], [0, 6, 1], [0, 1, 1]]),
        ([[B, B], [B, B]], [[1, 1], [1, 1]]),
        ([[F, F], [F, F]], [[1, 1], [1, 1]]),
        ([[X, B], [X, B]], [[0, 1], [0, 1]]),
        ([[F, X], [F, X]], [[1, 0], [1, 0]]),
    ],
    ids=[
        *("one in four", "five in six", "outside", "empty", "full"),
        *("empty, outside", "full, outside"),
    ],
)
def test_balanced_weights_by_hand(label, expected):
    weight = balanced(label)
    assert weight.dtype == np.float32
    np.testing.assert_array_equal(weight, np.array(expected, np.float32))


@given(hnp.arrays(np.uint8, (7, 6), elements=st.integers(0, 2)))
def test_all_foreground_weighs_three_times_all_background(label):
    weight = balanced(label)
    foreground = weight[label == F].sum(dtype=np.float64)
    background = weight[label == B].sum(dtype=np.float64)
    if foreground and background:
        np.testing.assert_allclose(foreground, 3 * background, rtol=1e-6)
    assert not weight[label == X].any()
    assert (weight[label == B] == 1).all()
    np.testing.assert_array_equal(weight, equation_1(label))


def test_balanced_weights_are_float64_s_to_the_last_bit():
    """The weights come from one division of whole numbers, which float32 rounds correctly."""
    rng = np.random.default_rng(0)
    side = 480
    order = rng.permutation(side * side)
    for foreground, outside in rng.integers(1, side * side // 2, (40, 2)):
        label = np.zeros(side * side, np.uint8)
        label[order[:foreground]] = F
        label[order[foreground : foreground + outside]] = X
        label = label.reshape(side, side)
        np.testing.assert_array_equal(balanced(label), equation_1(label))


def test_uniform_weights_are_one_where_there_is_an_image(rng):
    mask, counted = rng.random((2, 1, 6, 7)) < 0.5
    weight = jax.jit(losses.uniform_weight)(mask, counted)
    np.testing.assert_array_equal(weight, counted.astype(np.float32))
