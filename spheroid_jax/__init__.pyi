"""Public names, read by type checkers and, at run time, by `lazy_loader`."""

from .images import read_image as read_image
from .inference.model_file import Params as Params
from .inference.model_file import load as load
from .inference.segmentation import Segmentation as Segmentation
from .inference.segmentation import segment as segment
from .inference.segmentation import segment_objects as segment_objects
from .inference.stream import segment_stream as segment_stream
from .lab.bodies import measure as measure
from .lab.run import MeasureOptions as MeasureOptions
from .lab.run import measure_files as measure_files
from .plates.analysis import plate as plate
from .plates.options import PlateOptions as PlateOptions

__version__: str
