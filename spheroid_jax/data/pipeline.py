"""The training stream in tf.data (paper, section 2.2).

The same values as `arrays.batches`, which a test holds it against; here the
work is done in parallel to the training and ahead of it.
"""

import tensorflow as tf


def batches(samples, draws, batch_size):
    """Streams augmented batches.

    Every random number comes with `draws`, so the stream is the same
    whatever the number of threads and the depth of prefetching.

    Args:
      samples: `arrays.Samples`.
      draws: `sampling.Draws`; a last, partial batch is left out.
      batch_size: images a batch.

    Returns:
      iterator of dicts of `image` (B, S, S), float32, and `label` (B, S, S), uint8, NumPy arrays.
    """
    with tf.device("CPU"):
        pictures = tf.constant(samples.images)
        labels = tf.constant(samples.labels)

    def sample(index, *transform):
        return {
            "image": augment(pictures[index], *transform),
            "label": augment(labels[index], *transform),
        }

    return (
        tf.data.Dataset.from_tensor_slices(tuple(draws))
        .map(sample, num_parallel_calls=tf.data.AUTOTUNE)
        .batch(batch_size, drop_remainder=True)
        .prefetch(tf.data.AUTOTUNE)
        .as_numpy_iterator()
    )


def augment(array, flip_vertical, flip_horizontal, quarter_turns):
    """As `arrays.augment`."""
    array = tf.cond(flip_vertical, lambda: array[::-1], lambda: array)
    array = tf.cond(flip_horizontal, lambda: array[:, ::-1], lambda: array)
    return tf.image.rot90(array[..., tf.newaxis], quarter_turns)[..., 0]
