"""Data roots, their partitions, and batches of training images; the only use of TensorFlow.

Only `records` and `pipeline` import TensorFlow. `arrays` gives the same samples and the same
batches without TensorFlow.
"""
