"""What was measured on."""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import platform
import re
import subprocess

PACKAGES = ("tensorflow", "keras", "numpy", "pillow", "torch")


def describe() -> dict[str, str]:
    """Processor, memory, load and versions, in words."""
    return {
        "processor": f"{os.cpu_count()} cores, {_processor()}, {_features()}",
        "memory": f"{os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 2**30:.0f} GiB",
        "system": platform.platform(terse=True),
        "load before": f"{os.getloadavg()[0]:.1f}",
        "versions": ", ".join([f"Python {platform.python_version()}", *_versions()]),
    }


def fast_precision() -> str:
    """bfloat16 where the processor multiplies in it, else float32."""
    return "bfloat16" if re.search("avx512_bf16|amx_bf16", _cpuinfo()) else "float32"


def fast_precisions() -> tuple[str, ...]:
    """float32, and what the processor is faster in."""
    return tuple(dict.fromkeys(["float32", fast_precision()]))


def gpu() -> str | None:
    """The names of the GPUs, as the driver says; None without one."""
    with contextlib.suppress(OSError):
        asked = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
        said = subprocess.run(asked, capture_output=True, text=True, check=False)
        return ", ".join(said.stdout.split("\n")[:-1]) or None if not said.returncode else None
    return None


def _cpuinfo() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return ""


def _processor() -> str:
    names = re.findall(r"model name\s*: (.+)", _cpuinfo())
    return names[0] if names else platform.processor() or platform.machine()


def _features() -> str:
    """The instructions that decide how fast a convolution is, of those that the processor has."""
    known = "avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16"
    flags = _cpuinfo().split()
    return " ".join(name for name in known if name in flags) or "no AVX2"


def _versions() -> list[str]:
    versions = []
    for name in PACKAGES:
        try:
            versions.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions
