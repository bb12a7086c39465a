"""From a folder of images and masks to batches; the only TensorFlow user.

TensorFlow is imported by `records` and `pipeline` alone; `arrays` offers the
same samples and the same stream without it.
"""
