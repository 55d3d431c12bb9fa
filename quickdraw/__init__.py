"""quickdraw: teach machines to recognise doodles, with TensorFlow 2 and Keras 3.

Importing this package imports nothing else: TensorFlow is loaded by the modules that use it.
"""

__version__ = "0.1.0"
