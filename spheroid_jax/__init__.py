"""Spheroid segmentation in bright-field images, in JAX.

    import spheroid_jax as sj
    params = sj.load("spheroid-base")
    mask, probability = sj.segment(params, image)

`sj.read_image` reads one image file. `sj.segment_stream` segments any number of files or arrays; it
reads images, runs the network and post-processes at the same time. `__init__.pyi` lists the public
names and their modules. A name is imported when it is first used, so `import spheroid_jax` is fast.
"""

import lazy_loader

__version__ = "0.1.0"
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
