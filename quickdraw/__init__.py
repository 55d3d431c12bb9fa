"""quickdraw: teach machines to recognise doodles, with TensorFlow 2 and Keras 3.

Importing this package imports nothing else: TensorFlow is loaded by the modules that use it, and
finds oneDNN switched on, unless TF_ENABLE_ONEDNN_OPTS is set otherwise.
"""

import os
import sys

__version__ = "0.1.0"

# Python is looking up `python -m quickdraw.…`, or this is a worker of such a command.
if sys.argv[:1] == ["-m"] or "QUICKDRAW_INSTALLED_FIRST" in os.environ:
    from quickdraw.import_order import installed_first, refuse_bare_python

    os.environ["QUICKDRAW_INSTALLED_FIRST"] = "1"
    installed_first()
    refuse_bare_python()

# TensorFlow reads the variable when it is imported. By itself it leaves oneDNN off on processors
# without AVX512-VNNI (most laptops), where training takes twice as long without it.
if "tensorflow" not in sys.modules and os.uname().machine == "x86_64":
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
