"""Losses of the paper's section 2.4, equations 2 and 3, and their weights.

Logits are float32 with the classes last: (background, foreground) for the
segmentation network, (fake, real) for the adversarial network. Where the
paper sums over the data set, these take the mean over the batch.
"""

import chex
import jax
from jax import numpy as jnp

FAKE, REAL = 0, 1
# By which the foreground weights are multiplied (section 2.2).
FOREGROUND_FACTOR = 3
TINY = 1e-6


def balanced_weight(mask, counted):
    """Weights of equation 1, the foreground's times 3 (section 2.2).

    Background pixels weigh 1 and foreground pixels 3 N_bg / N_fg, with N counted in each image. In
    an image of one class every pixel weighs 1.

    Args:
      mask: (B, H, W), boolean, the ground truth.
      counted: (B, H, W), boolean: where there is an image.

    Returns:
      (B, H, W), float32; zero where nothing counts.
    """
    foreground = (mask & counted).sum((1, 2), keepdims=True)
    background = (~mask & counted).sum((1, 2), keepdims=True)
    # Below 2,300 px per side the product is a whole number that float32 holds: one rounding.
    ratio = FOREGROUND_FACTOR * background / jnp.maximum(foreground, 1)
    one_class = (foreground == 0) | (background == 0)
    weight = jnp.where(mask & ~one_class, ratio, 1.0)
    return jnp.where(counted, weight, 0.0)


def uniform_weight(mask, counted):
    """Weighs each pixel 1; as `balanced_weight` otherwise."""
    del mask
    return counted.astype(jnp.float32)


# What `config.loss.weights` can be.
WEIGHTS = {"balanced": balanced_weight, "uniform": uniform_weight}


def weighted_cross_entropy(logits, mask, weight):
    """Weighted spatial cross entropy, L_wsce of equation 3.

    An image's loss is the mean over its pixels of weight times cross entropy.

    Args:
      logits: (B, H, W, 2).
      mask: (B, H, W), boolean, the ground truth.
      weight: (B, H, W), >= 0; zero marks pixels that do not count, which may
        not be all of an image.

    Returns:
      The mean over the batch, a scalar >= 0.
    """
    chex.assert_equal_shape([mask, weight, logits[..., 0]])
    log_probability = jax.nn.log_softmax(logits)
    pixel = -jnp.where(mask, log_probability[..., 1], log_probability[..., 0])
    image = (weight * pixel).sum((1, 2)) / (weight > 0).sum((1, 2))
    return image.mean()


def soft_dice(logits, mask, weight):
    """1 - 2 sum(p t) / (sum p + sum t), an image; not in the paper.

    p is the probability of foreground and t the mask; the sums are over the
    pixels that count (F. Milletari et al., V-Net, 3DV 2016, has squares).

    Args:
      logits: (B, H, W, 2).
      mask: (B, H, W), boolean, the ground truth.
      weight: (B, H, W), >= 0; only where it is zero matters.

    Returns:
      The mean over the batch, a scalar in [0, 1].
    """
    chex.assert_equal_shape([mask, weight, logits[..., 0]])
    counted = weight > 0
    probability = jnp.where(counted, jax.nn.softmax(logits)[..., 1], 0)
    truth = (mask & counted).astype(probability.dtype)
    both = (probability * truth).sum((1, 2))
    either = probability.sum((1, 2)) + truth.sum((1, 2))
    # An empty mask with nothing found has no overlap to divide by.
    return (1 - 2 * both / jnp.maximum(either, TINY)).mean()


def binary_cross_entropy(logits, label):
    """L_bce of equations 2 and 3: the adversary's two classes.

    Args:
      logits: (B, 2).
      label: `FAKE` or `REAL`, for the whole batch.

    Returns:
      The mean over the batch, a scalar >= 0.
    """
    chex.assert_shape(logits, (None, 2))
    return -jax.nn.log_softmax(logits)[:, label].mean()


def adversarial_loss(real_logits, fake_logits):
    """L_a of equation 2: the real is to be told real, the fake fake."""
    return binary_cross_entropy(real_logits, REAL) + binary_cross_entropy(fake_logits, FAKE)


def segmentation_loss(spatial_loss, fake_logits, adversarial_weight):
    """L_s of equation 3: spatial loss plus lambda times "taken for real".

    Args:
      spatial_loss: what `weighted_cross_entropy` gives; L_wsce.
      fake_logits: (B, 2), the adversary's verdict on the segmentation.
      adversarial_weight: lambda.
    """
    return spatial_loss + adversarial_weight * binary_cross_entropy(fake_logits, REAL)
