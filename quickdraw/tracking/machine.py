"""A description of this machine."""

from __future__ import annotations

import contextlib
import os
import platform
import re


def describe() -> dict[str, str]:
    """Return the system, processor, cores and memory, and the GPUs that TensorFlow sees."""
    facts = {
        "system": f"{platform.system()} {platform.release()}",
        "processor": _processor(),
        "cores": str(os.cpu_count() or 1),
    }
    with contextlib.suppress(ValueError, OSError, AttributeError):  # not available on every system
        pages, size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
        facts["memory"] = f"{pages * size / 2**30:.1f} GiB"
    if gpus := _gpus():
        facts["gpus"] = ", ".join(gpus)
    return facts


def _processor() -> str:
    with contextlib.suppress(OSError), open("/proc/cpuinfo", encoding="utf-8") as file:
        if found := re.search(r"^model name\s*:\s*(.+)$", file.read(), re.M):
            return found[1].strip()
    return platform.processor() or platform.machine()


def _gpus() -> list[str]:
    import tensorflow as tf

    return [
        tf.config.experimental.get_device_details(gpu).get("device_name", gpu.name)
        for gpu in tf.config.list_physical_devices("GPU")
    ]
