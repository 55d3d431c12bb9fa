"""Where drawings come from: a path in, told apart by looking, files of drawings out.

Each format is a module with a `DrawingFile` (see `base`); `finding` tells them apart.
"""

from quickdraw.datasets.sources.base import DrawingFile, Source
from quickdraw.datasets.sources.bitmaps import Images
from quickdraw.datasets.sources.majority import POLARITIES
from quickdraw.datasets.sources.opening import FORMATS, open_source

__all__ = ["FORMATS", "POLARITIES", "DrawingFile", "Images", "Source", "open_source"]
