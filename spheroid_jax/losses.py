"""Losses of the paper's section 2.4, equations 2 and 3.

Logits are float32 with the classes last: (background, foreground) for the
segmentation network, (fake, real) for the adversarial network. Where the
paper sums over the data set, these take the mean over the batch.
"""

import chex
import jax
from jax import numpy as jnp

FAKE, REAL = 0, 1


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
    return binary_cross_entropy(real_logits, REAL) + binary_cross_entropy(
        fake_logits, FAKE
    )


def segmentation_loss(cross_entropy, fake_logits, adversarial_weight):
    """L_s of equation 3: cross entropy plus lambda times "taken for real".

    Args:
      cross_entropy: what `weighted_cross_entropy` gives.
      fake_logits: (B, 2), the adversary's verdict on the segmentation.
      adversarial_weight: lambda.
    """
    return cross_entropy + adversarial_weight * binary_cross_entropy(
        fake_logits, REAL
    )
