"""Training stream in tf.data (paper, section 2.2).

The batches equal those of `arrays.batches` bit for bit. tf.data makes the batches in other threads
while training runs.
"""

import tensorflow as tf


def batches(samples, draws, batch_size):
    """Streams augmented batches.

    All random numbers come from `draws`, so the number of threads and the depth of prefetching make
    no difference.

    Args:
      samples: `arrays.Samples`.
      draws: `sampling.Draws`; draws that do not fill a last batch are left out.
      batch_size: number of images per batch.

    Returns:
      iterator of dicts of NumPy arrays: `image` (B, S, S), float32, and `label` (B, S, S), uint8.
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
    """Flips and rotates one (H, W) tensor, like `arrays.augment`."""
    array = tf.cond(flip_vertical, lambda: array[::-1], lambda: array)
    array = tf.cond(flip_horizontal, lambda: array[:, ::-1], lambda: array)
    return tf.image.rot90(array[..., tf.newaxis], quarter_turns)[..., 0]
