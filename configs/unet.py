"""U-net*: the original U-Net with zero padding, trained like configs/base.py.

    python launch.py --config=configs/unet.py --fold=2

All other values are those of configs/base.py. docs/evidence/results.md has a measured fold.
"""

from ml_collections import ConfigDict

from configs import base


def get_config():
    """Returns the settings of U-net* (section 3)."""
    config = base.get_config()
    config.name = "unet"
    config.model = ConfigDict()  # the segmentation network of `configs/unet.py`
    config.model.name = "unet"  # the original U-Net, zero padded (3)
    config.model.width = 64  # feature maps of the first level
    config.model.depth = 4  # down-samplings: 64 to 1024 maps
    config.model.patch = 1  # 2: 2 x 2 pixels become 4 channels of one
    config.model.norm = "none"  # no normalisation, like the original; or "group"
    config.model.markers = False  # True: learns a marker per body; tells touching bodies apart
    config.model.cores = False  # True: learns the bodies' dense cores; needs markers
    config.model.dtype = "float32"  # type of products; or "bfloat16"
    config.model.remat = False  # True: less memory, more time, same result
    return config
