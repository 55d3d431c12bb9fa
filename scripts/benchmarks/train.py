"""Training: speed of the step, seconds to an accuracy, memory."""

from __future__ import annotations

import os
from typing import Any

from benchmarks import data, limits, machine
from benchmarks.contest import Candidate, Contest, Goal, Options, Value

OURS = "quickdraw CnnModel, batch {}"
BFLOAT16 = "quickdraw CnnModel, bfloat16, batch {}"
FIT = "keras fit, batch {}"
TORCH = "PyTorch in memory, batch {}"
CHANNELS_LAST = "PyTorch in memory, channels last, batch {}"
LOADER = "PyTorch DataLoader, Pillow, batch {}"
COMMAND = "quickdraw.train, the command"
SCRIPT = "Deep Draw recipe, a script"
SMALL, LARGE = "quickdraw, memory of the small set", "quickdraw, memory of the large set"
SMALL_BATCH = 32
MOST_EPOCHS = 20


def contest(options: Options) -> Contest:
    """Steps a second, seconds to an accuracy, and peak memory."""
    return Contest(
        "Training",
        [*_steps(options), *_commands(options), *_memory(options), limits.candidate(options)],
        _goals(options.batch_size, options.top1),
    )


def _steps(options: Options) -> list[Candidate]:
    where = {
        "pattern": options.pattern("train"),
        "classes": data.classes(options.data),
        "train_images": min(options.train_images, data.records(options.data, "train")),
    }

    def candidate(name: str, function: str, batch_size: int, camp: str, **more: Any) -> Candidate:
        arguments = where | {"batch_size": batch_size} | more
        return Candidate(name.format(batch_size), f"benchmarks.{function}:train", arguments, camp)

    ours, torch = options.batch_size, "opponents.pytorch"
    half = [candidate(BFLOAT16, "ours", ours, "", precision="bfloat16")] if _has_bfloat16() else []
    return [
        candidate(OURS, "ours", ours, ""),
        *half,
        candidate(FIT, "opponents.keras_fit", ours, "keras"),
        candidate(FIT, "opponents.keras_fit", SMALL_BATCH, "keras"),
        candidate(TORCH, torch, ours, "torch", in_memory=True),
        candidate(CHANNELS_LAST, torch, ours, "torch", in_memory=True, channels_last=True),
        candidate(LOADER, torch, ours, "torch", in_memory=False),
    ]


def _commands(options: Options) -> list[Candidate]:
    where = {
        "train": options.pattern("train"),
        "valid": options.pattern("valid"),
        "top1": options.top1,
    }
    ours = {name: getattr(options, name) for name in ("epochs", "learning_rate", "precision")}
    theirs = {"classes": data.classes(options.data), "epochs": MOST_EPOCHS}
    return [
        Candidate(COMMAND, "benchmarks.commands:quickdraw", where | ours),
        Candidate(SCRIPT, "benchmarks.commands:deep_draw", where | theirs, "keras"),
    ]


def _memory(options: Options) -> list[Candidate]:
    return [
        Candidate(
            name,
            "benchmarks.ours:memory",
            {"pattern": os.path.join(folder, "train-*"), "batch_size": options.batch_size},
        )
        for name, folder in ((SMALL, options.data), (LARGE, options.large))
    ]


def _goals(batch_size: int, top1: float) -> list[Goal]:
    ours = OURS.format(batch_size)

    def against(name: str, wanted: float, ours: str) -> Goal:
        return Goal(
            f"{ours}, against {name}",
            wanted,
            lambda value: value(ours, "training") / value(name, "training"),
        )

    def against_all(ours: str) -> list[Goal]:
        return [
            against(FIT.format(batch_size), 1.3, ours),
            against(FIT.format(SMALL_BATCH), 2, ours),
            against(TORCH.format(batch_size), 1.5, ours),
        ]

    half = against_all(BFLOAT16.format(batch_size)) if _has_bfloat16() else []
    return [
        *against_all(ours),
        *half,
        Goal(
            f"{ours}, share of the matrix product's peak",
            0.5,
            lambda value: (
                value(ours, "arithmetic") / value(limits.CANDIDATE, "matrix product, float32")
            ),
        ),
        Goal(
            f"whole command to {top1:.1%} validation top-1, against the {SCRIPT}",
            4,
            lambda value: value(SCRIPT, "seconds to top-1") / value(COMMAND, "seconds to top-1"),
        ),
        Goal("memory over 784 bytes an image, beyond the process's base", 1.3, _per_byte, True),
    ]


def _has_bfloat16() -> bool:
    return machine.fast_precision() == "bfloat16"


def _per_byte(value: Value) -> float:
    """What more images add to the peak, over their own size."""
    added = value(LARGE, "peak memory") - value(SMALL, "peak memory")
    return added / (value(LARGE, "pixels") - value(SMALL, "pixels"))
