"""The training stream in tf.data (paper, section 2.2).

The same values as `arrays.batches`, which a test holds it against; here the
work is done in parallel to the training and ahead of it.
"""

import tensorflow as tf

from spheroid_jax import images
from spheroid_jax.data import arrays


def batches(samples, draws, batch_size):
    """Streams augmented, weighted batches.

    Every random number comes with `draws`, so the stream is the same
    whatever the number of threads and the depth of prefetching.

    Args:
      samples: `arrays.Samples`.
      draws: `sampling.Draws`; a last, partial batch is left out.
      batch_size: images a batch.

    Returns:
      An iterator of dicts of `image` (B, S, S) float32, `mask` (B, S, S)
      boolean and `weight` (B, S, S) float32, NumPy arrays.
    """
    with tf.device("CPU"):
        pictures = tf.constant(samples.images)
        labels = tf.constant(samples.labels)

    def sample(index, *transform):
        label = augment(labels[index], *transform)
        return {
            "image": augment(pictures[index], *transform),
            "mask": label == images.FOREGROUND,
            "weight": weight_map(label),
        }

    return (
        tf.data.Dataset.from_tensor_slices(tuple(draws))
        .map(sample, num_parallel_calls=tf.data.AUTOTUNE)
        .batch(batch_size, drop_remainder=True)
        .prefetch(tf.data.AUTOTUNE)
        .as_numpy_iterator()
    )


def weight_map(label):
    """As `arrays.weight_map`."""
    foreground = tf.math.count_nonzero(label == images.FOREGROUND, dtype=tf.int32)
    background = tf.math.count_nonzero(label == images.BACKGROUND, dtype=tf.int32)
    # In float64, as Python divides, and rounded once.
    ratio = tf.where(
        (foreground > 0) & (background > 0),
        arrays.FOREGROUND_FACTOR
        * tf.cast(background, tf.float64)
        / tf.cast(tf.maximum(foreground, 1), tf.float64),
        1.0,
    )
    by_label = tf.stack([1.0, tf.cast(ratio, tf.float32), 0.0])
    return tf.gather(by_label, tf.cast(label, tf.int32))


def augment(array, flip_vertical, flip_horizontal, quarter_turns):
    """As `arrays.augment`."""
    array = tf.cond(flip_vertical, lambda: array[::-1], lambda: array)
    array = tf.cond(flip_horizontal, lambda: array[:, ::-1], lambda: array)
    return tf.image.rot90(array[..., tf.newaxis], quarter_turns)[..., 0]
