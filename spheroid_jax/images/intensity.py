"""Conversion of images to gray, and normalisation of their intensity.

An image is (H, W), or (H, W, C) for colours, and has any number type. Gray is (H, W) float32 in the
units of the image. Normalised gray has its 1st and 99th percentiles at 0 and 1 and is clipped to
[0, 1].
"""

import numpy as np

from spheroid_jax.images.image import ImageError

MIN_SIDE_PX = 32
PERCENTILES = (1.0, 99.0)
# ITU-R BT.601, as in most cameras and image libraries.
LUMINANCE = np.array([0.299, 0.587, 0.114], np.float32)


def to_gray(image):
    """Converts an image of any shape and number type to gray.

    Three channels are red, green and blue, and give the luminance; a fourth channel is alpha and is
    dropped. Any other number of channels gives the mean of the channels.

    Args:
      image: (H, W) or (H, W, C); integer, float or boolean.

    Returns:
      (H, W), float32, in the units of the image.

    Raises:
      ImageError: the image has another shape, a side under 32 px, no numbers, or pixels that are
        NaN or infinite.
    """
    image = np.asarray(image)
    if image.ndim not in (2, 3):
        raise ImageError(f"an image has shape (H, W) or (H, W, C), not {image.shape}")
    if min(image.shape[:2]) < MIN_SIDE_PX:
        raise ImageError(
            f"image of {image.shape[1]} x {image.shape[0]} px; each side "
            f"must have at least {MIN_SIDE_PX} px (channels come last)"
        )
    if image.dtype.kind not in "uifb":
        raise ImageError(f"pixels of type {image.dtype} are not numbers")
    with np.errstate(over="ignore"):
        image = image.astype(np.float32)
    if not np.isfinite(image).all():
        bad = np.count_nonzero(~np.isfinite(image))
        raise ImageError(f"{bad} pixels are NaN, infinite or too large")
    if image.ndim == 2:
        return image
    if image.shape[2] in (3, 4):
        # Spelt out: a matrix product rounds by the array's layout.
        red, green, blue = np.moveaxis(image[..., :3], -1, 0)
        return LUMINANCE[0] * red + LUMINANCE[1] * green + LUMINANCE[2] * blue
    # Summed in float64: the sum of large floats can overflow.
    return image.mean(axis=2, dtype=np.float64).astype(np.float32)


def normalise(gray):
    """Maps the 1st and 99th percentiles of the pixels to 0 and 1, and clips to [0, 1].

    If both percentiles are equal, as for a small body on a flat background, the smallest and the
    largest value are used instead.

    Args:
      gray: (H, W), float32, finite.

    Returns:
      (H, W), float32, in [0, 1].

    Raises:
      ImageError: all pixels have the same value.
    """
    # In float64, because differences of large floats can overflow.
    low, high = np.percentile(gray.astype(np.float64), PERCENTILES)
    low, high = np.float32(low), np.float32(high)
    if low == high:
        low, high = gray.min(), gray.max()
    if low == high:
        raise ImageError(f"all pixels have the same value ({low:g})")
    # Clipped before scaling, and scaled before subtracting: large floats could overflow.
    gray = np.clip(gray, low, high)
    scale = max(abs(low), abs(high))
    low, high = low / scale, high / scale
    return (gray / scale - low) / (high - low)
