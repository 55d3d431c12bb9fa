"""Which machine carries which GPUs, and how many.

Source: Compute Engine documentation, "GPU machine types"; Vertex AI, "Configure compute resources".
"""

from __future__ import annotations

import dataclasses
import re


@dataclasses.dataclass(frozen=True)
class Gpu:
    """A kind of GPU.

    Attributes:
        accelerator: its name in a job's spec.
        machines: the machine type to take for so many GPUs.
        fitting: pattern of all machine types that carry it, for so many GPUs.
    """

    accelerator: str
    machines: dict[int, str]
    fitting: dict[int, str]


def _built_in(accelerator: str, family: str) -> Gpu:
    machines = {count: f"{family}-{count}g" for count in (1, 2, 4, 8)}
    return Gpu(accelerator, machines, machines)


GPUS = {
    "L4": Gpu(
        "NVIDIA_L4",
        {1: "g2-standard-8", 2: "g2-standard-24", 4: "g2-standard-48", 8: "g2-standard-96"},
        {
            1: "g2-standard-(4|8|12|16|32)",
            2: "g2-standard-24",
            4: "g2-standard-48",
            8: "g2-standard-96",
        },
    ),
    "T4": Gpu(
        "NVIDIA_TESLA_T4",
        {1: "n1-standard-8", 2: "n1-standard-16", 4: "n1-standard-32"},
        dict.fromkeys((1, 2, 4), r"n1-(standard|highmem|highcpu)-(4|8|16|32|64|96)"),
    ),
    "A100": _built_in("NVIDIA_TESLA_A100", "a2-highgpu"),
    "A100_80GB": _built_in("NVIDIA_A100_80GB", "a2-ultragpu"),
    "H100": _built_in("NVIDIA_H100_80GB", "a3-highgpu"),
}
"""The GPUs that `--gpu` offers."""


def mismatch(machine: str, accelerator: str, count: int) -> str | None:
    """Return what is wrong with so many of these GPUs on this machine; None if nothing is known."""
    built_in = re.match("(a2|a3|g2)-", machine)
    if not accelerator:
        return f"{machine} comes with GPUs: acceleratorType is missing" if built_in else None
    if count < 1:
        return f"acceleratorCount must be at least 1 with an acceleratorType. Received: {count}"
    known = next((gpu for gpu in GPUS.values() if gpu.accelerator == accelerator), None)
    if known is None:
        return None
    if count not in known.fitting:
        return f"{accelerator} comes in numbers of {_words(known.fitting)}. Received: {count}"
    if not re.fullmatch(known.fitting[count], machine):
        return (
            f"{machine} does not carry {count} {accelerator}: take {known.machines[count]} for that"
        )
    return None


def _words(numbers: dict[int, str]) -> str:
    return ", ".join(map(str, numbers))
