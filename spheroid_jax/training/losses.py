"""Losses (section 2.4, equations 2 and 3) and pixel weights (equation 1) of the paper.

Logits are float32 with the classes last: (background, foreground) for the segmentation network,
(fake, real) for the adversarial network. The paper sums over the dataset; the losses here take the
mean over the batch.
"""

import chex
import jax
from jax import numpy as jnp
from jaxtyping import Array, Bool, Float

FAKE, REAL = 0, 1
# The paper multiplies the foreground's weights of equation 1 by 3 (section 2.2).
FOREGROUND_FACTOR = 3
TINY = 1e-6


def balanced_weight(
    mask: Bool[Array, "b h w"], counted: Bool[Array, "b h w"]
) -> Float[Array, "b h w"]:
    """Pixel weights that make the foreground count three times as much as the background.

    A background pixel weighs 1 and a foreground pixel 3 N_bg / N_fg, where N_bg and N_fg are the
    numbers of background and foreground pixels in the image (equation 1 and section 2.2). In an
    image with one class only, every pixel weighs 1.

    Args:
      mask: the ground truth.
      counted: false for pixels beyond the image's edge, which weigh 0.

    Returns:
      float32 weights.
    """
    foreground = (mask & counted).sum((1, 2), keepdims=True)
    background = (~mask & counted).sum((1, 2), keepdims=True)
    # float32 holds 3 N_bg exactly for images of up to 2,300 x 2,300 px: only the division rounds.
    ratio = FOREGROUND_FACTOR * background / jnp.maximum(foreground, 1)
    one_class = (foreground == 0) | (background == 0)
    weight = jnp.where(mask & ~one_class, ratio, 1.0)
    return jnp.where(counted, weight, 0.0)


def uniform_weight(
    mask: Bool[Array, "b h w"], counted: Bool[Array, "b h w"]
) -> Float[Array, "b h w"]:
    """Pixel weights of 1 for pixels that count, and 0 for pixels beyond the image's edge."""
    del mask
    return counted.astype(jnp.float32)


# The values that `config.loss.weights` can have.
WEIGHTS = {"balanced": balanced_weight, "uniform": uniform_weight}


def weighted_cross_entropy(
    logits: Float[Array, "b h w 2"], mask: Bool[Array, "b h w"], weight: Float[Array, "b h w"]
) -> Float[Array, ""]:
    """Weighted spatial cross entropy, L_wsce of equation 3, averaged over the batch.

    The loss of one image is the sum over its pixels of weight times cross entropy, divided by the
    number of pixels whose weight is above 0.

    Args:
      logits: output of the segmentation network.
      mask: the ground truth.
      weight: pixel weights >= 0, not all 0 in any image.

    Returns:
      A scalar >= 0.
    """
    chex.assert_equal_shape([mask, weight, logits[..., 0]])
    log_probability = jax.nn.log_softmax(logits)
    pixel = -jnp.where(mask, log_probability[..., 1], log_probability[..., 0])
    image = (weight * pixel).sum((1, 2)) / (weight > 0).sum((1, 2))
    return image.mean()


def soft_dice(
    logits: Float[Array, "b h w 2"], mask: Bool[Array, "b h w"], weight: Float[Array, "b h w"]
) -> Float[Array, ""]:
    """Soft Dice loss of the foreground class, averaged over the batch; not in the paper.

    The loss of one image is 1 - 2 sum(p t) / (sum p + sum t), where p is the probability of
    foreground, t is the mask, and the sums are over the pixels that count. F. Milletari et al.
    (V-Net, 3DV 2016) square p and t in the denominator; this loss does not.

    Args:
      logits: output of the segmentation network.
      mask: the ground truth.
      weight: pixel weights >= 0; pixels of weight 0 do not count, other values make no difference.

    Returns:
      A scalar in [0, 1].
    """
    chex.assert_equal_shape([mask, weight, logits[..., 0]])
    counted = weight > 0
    probability = jnp.where(counted, jax.nn.softmax(logits)[..., 1], 0)
    truth = (mask & counted).astype(probability.dtype)
    both = (probability * truth).sum((1, 2))
    either = probability.sum((1, 2)) + truth.sum((1, 2))
    # Without foreground in mask and segmentation, the denominator would be 0.
    return (1 - 2 * both / jnp.maximum(either, TINY)).mean()


def core_loss(
    logits: Float[Array, "b h w"], core: Bool[Array, "b h w"], body: Bool[Array, "b h w"]
) -> Float[Array, ""]:
    """Loss of the bodies' dense cores: cross entropy in the bodies, averaged over the batch.

    In an image without a core pixel, cores are not known; its loss is 0.

    Args:
      logits: the network's logit of the core.
      core: the true cores.
      body: pixels of bodies; others do not count.

    Returns:
      A scalar >= 0.
    """
    known = core.any((1, 2))
    weight = (body & known[:, jnp.newaxis, jnp.newaxis]).astype(logits.dtype)
    pixel = jax.nn.softplus(jnp.where(core, -logits, logits))
    image = (weight * pixel).sum((1, 2)) / jnp.maximum(weight.sum((1, 2)), 1)
    return image.mean()


def marker_loss(
    logits: Float[Array, "b h w"], marker: Bool[Array, "b h w"], counted: Bool[Array, "b h w"]
) -> Float[Array, ""]:
    """Loss of the bodies' markers: cross entropy plus soft Dice loss, averaged over the batch.

    Args:
      logits: the network's logit of the marker.
      marker: the true markers, as returned by `images.markers`.
      counted: false for pixels beyond the image's edge.

    Returns:
      A scalar >= 0.
    """
    classes = jnp.stack([jnp.zeros_like(logits), logits], axis=-1)
    weight = counted.astype(logits.dtype)
    cross_entropy = weighted_cross_entropy(classes, marker, weight)
    return cross_entropy + soft_dice(classes, marker, weight)


def binary_cross_entropy(logits: Float[Array, "b 2"], label: int) -> Float[Array, ""]:
    """Cross entropy of the adversary's two classes, L_bce of equations 2 and 3.

    Args:
      logits: output of the adversarial network.
      label: `FAKE` or `REAL`, the true class of the whole batch.

    Returns:
      The mean over the batch, a scalar >= 0.
    """
    chex.assert_shape(logits, (None, 2))
    return -jax.nn.log_softmax(logits)[:, label].mean()


def adversarial_loss(
    real_logits: Float[Array, "b 2"], fake_logits: Float[Array, "b 2"]
) -> Float[Array, ""]:
    """Loss of the adversary, L_a of equation 2: low if it tells real masks from segmentations.

    Args:
      real_logits: output of the adversarial network for the true masks.
      fake_logits: output of the adversarial network for the segmentations.
    """
    return binary_cross_entropy(real_logits, REAL) + binary_cross_entropy(fake_logits, FAKE)


def segmentation_loss(
    spatial_loss: Float[Array, ""] | float,
    fake_logits: Float[Array, "b 2"],
    adversarial_weight: Float[Array, ""] | float,
) -> Float[Array, ""]:
    """Loss of the segmentation network, L_s of equation 3.

    The loss is the spatial loss plus lambda times the cross entropy between the adversary's output
    and the class "real". So it is lower if the adversary takes the segmentation for a real mask.

    Args:
      spatial_loss: L_wsce, as returned by `weighted_cross_entropy`.
      fake_logits: output of the adversarial network for the segmentations.
      adversarial_weight: lambda.
    """
    return spatial_loss + adversarial_weight * binary_cross_entropy(fake_logits, REAL)
