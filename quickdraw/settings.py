"""The settings of a training: each stands here once, with its default and what it means.

The fields are the arguments of `quickdraw.training.fit` and the flags of `quickdraw.train`.
"""

from __future__ import annotations

import dataclasses
import typing
from typing import TYPE_CHECKING, Any, Literal

from absl import flags

from quickdraw.cli import UsageError
from quickdraw.errors import QuickdrawError

if TYPE_CHECKING:
    from quickdraw.losses import BaseLoss
    from quickdraw.models import BaseModel
    from quickdraw.training.augmentation import Augmentation

OnBadRecord = Literal["error", "skip"]
Distribute = Literal["auto", "none", "mirrored", "multi_worker"]
Precision = Literal["float32", "bfloat16", "float16"]
Optimizer = Literal["adam", "adamw", "lion", "muon", "sgd"]
Schedule = Literal["cosine", "one_cycle", "step", "plateau", "constant"]
SMALLEST_STEP = 1e-12

_CHOICES: dict[Any, tuple[str, ...]] = {
    "OnBadRecord": typing.get_args(OnBadRecord),
    "Distribute": typing.get_args(Distribute),
    "Precision": typing.get_args(Precision),
    "Optimizer": typing.get_args(Optimizer),
    "Schedule": typing.get_args(Schedule),
}

# Measured: see docs/experiments.md.
_RATES: dict[Optimizer, float] = {
    "adam": 0.006,
    "adamw": 0.006,
    "lion": 0.001,
    "muon": 0.006,
    "sgd": 0.1,
}


def _setting(
    default: Any, meaning: str, minimum: float | None = None, *, matters: bool = False
) -> Any:
    """A field; one that matters decides the result, so that a run cannot go on with another."""
    metadata = {"help": meaning, "minimum": minimum, "matters": matters}
    return dataclasses.field(default=default, metadata=metadata)


@dataclasses.dataclass(kw_only=True)
class Settings:
    """Everything that `fit` can be told. Read the fields' texts, or `quickdraw-train --help`.

    Raises:
        QuickdrawError: a number that is too small to mean anything, or an unknown choice.
    """

    train_data_pattern: str | None = _setting(
        None,
        "Comma-separated patterns of the training records. Without it synthetic sample drawings "
        "are made and used.",
    )
    eval_data_pattern: str | None = _setting(
        None,
        "Patterns of the validation records. Without them no best model can be kept.",
        matters=True,
    )
    train_dir: str | None = _setting(
        None, "The folder that the run is written to. Without it, runs/ and the model's name."
    )
    model: str | BaseModel = _setting(
        "LogisticModel",
        "Class in quickdraw.models, or dotted path of your own (my_models.MyModel).",
    )
    model_params: str | dict[str, Any] = _setting(
        "", 'The model\'s parameters, e.g. "dense_units=256, dropout=0.5".'
    )
    label_loss: str | BaseLoss = _setting(
        "CrossEntropyLoss", "Class in quickdraw.losses, or dotted path of your own."
    )
    loss_params: str | dict[str, Any] = _setting(
        "", 'The loss\' parameters, e.g. "label_smoothing=0".'
    )
    class_weights: str | dict[str, Any] | None = _setting(
        None,
        'How much each class counts in training: balanced (rare ones more), or e.g. "cat=2, dog=3" '
        '(names with blanks as JSON: {"hot dog": 2}); the others count 1.',
        matters=True,
    )
    teacher_dir: str | None = _setting(
        None,
        "The folder of a run that teaches this one (--label_loss=DistillationLoss), or several, "
        "separated by commas.",
        matters=True,
    )
    balanced_sampling: bool = _setting(
        False,
        "Draw each class equally often, whatever number of drawings it has.",
        matters=True,
    )
    use_valid_as_train: bool = _setting(
        False,
        "Train on the validation records too, for a last run when all choices are made. Validation "
        "figures then mean nothing, and the last model counts as the best.",
        matters=True,
    )
    batch_size: int = _setting(128, "Drawings a step.", 1, matters=True)
    base_learning_rate: float = _setting(
        None,
        "The highest learning rate: reached after a warm-up, then lowered as --schedule says. "
        "Without it, "
        + ", ".join(f"{rate:g} for {optimizer}" for optimizer, rate in _RATES.items())
        + ".",
        SMALLEST_STEP,
        matters=True,
    )
    schedule: Schedule = _setting(
        "cosine",
        "How the learning rate is lowered: cosine (to 0), one_cycle, step (a tenth at half and at "
        "three quarters), plateau (half when evaluations get no better), or constant.",
        matters=True,
    )
    plateau_patience: int = _setting(
        3,
        "Evaluations in a row without a better top-1 after which --schedule=plateau halves.",
        1,
        matters=True,
    )
    early_stopping: int | None = _setting(
        None, "Ends the training after so many evaluations in a row without a better top-1.", 1
    )
    optimizer: Optimizer = _setting(
        "adamw",
        "adam (without weight decay), adamw, lion, muon, or sgd with Nesterov momentum.",
        matters=True,
    )
    weight_decay: float = _setting(
        0.0,
        "Share by which weights shrink each step, times the learning rate; biases and "
        "normalisations are left alone.",
        0,
        matters=True,
    )
    ema_decay: float = _setting(
        0.0,
        "Predict with an exponential moving average of the weights, of which each step keeps this "
        "share (0.999). 0 is off.",
        0,
        matters=True,
    )
    augment: str | Augmentation = _setting(
        "",
        'Random changes to the training drawings, e.g. "flip=True, shift=2, rotation=10"; see '
        "quickdraw.training.augmentation.",
        matters=True,
    )
    num_epochs: float = _setting(
        8.0, "How often each drawing is seen.", SMALLEST_STEP, matters=True
    )
    max_steps: int | None = _setting(
        None, "Ends the training after so many steps, if earlier.", 1, matters=True
    )
    eval_every: int | float = _setting(
        1.0,
        "How often to evaluate. With a decimal point it counts epochs (0.5 is twice an epoch), "
        "without one steps (500).",
        SMALLEST_STEP,
    )
    checkpoint_every_steps: int = _setting(
        1000, "Steps between checkpoints. Each evaluation writes one too.", 1
    )
    checkpoint_every_minutes: float = _setting(
        5.0, "Minutes after which a checkpoint is written in any case.", SMALLEST_STEP
    )
    keep_checkpoints: int = _setting(3, "How many checkpoints to keep, beside the best model.", 1)
    image_size: int | None = _setting(
        None, "Resize the images to so many pixels a side; kept with the run.", 1
    )
    on_bad_record: OnBadRecord = _setting(
        "error", "What to do about a record that cannot be used: stop (error) or go on (skip)."
    )
    memory_budget: float | None = _setting(
        None,
        "Megabytes that the decoded drawings may take in memory, or on the GPU; more are streamed "
        "from the cache. Without it, half of what there is.",
        SMALLEST_STEP,
    )
    cache_megabytes: float = _setting(
        20_000.0, "How large the cache of decoded drawings on disk may become.", 0
    )
    distribute: Distribute = _setting(
        "auto",
        "none: one device; mirrored: all GPUs of this machine; multi_worker: the machines that "
        "TF_CONFIG names.",
    )
    accumulate_steps: int = _setting(
        1, "Take each batch in so many parts, one after the other, where memory is short.", 1
    )
    precision: Precision = _setting(
        "float32",
        "What layers compute in. bfloat16 suits GPUs, and CPUs with AVX512-BF16; float16 (with "
        "loss scaling) GPUs.",
        matters=True,
    )
    deterministic: bool | None = _setting(
        None,
        "Let the same run give the same bits each time. Without it: on a CPU, where it costs "
        "nothing worth mentioning, but not on a GPU.",
    )
    xla: bool = _setting(False, "Compile the step with XLA: for a GPU. Slower on CPUs.")
    sync_batch_norm: bool = _setting(
        False, "BatchNormalization over all replicas together instead of over each by itself."
    )
    accept_changed_data: bool = _setting(
        False, "Go on with a run although its training records have changed since."
    )
    seed: int = _setting(
        0, "Decides the first weights and the order of the drawings.", 0, matters=True
    )
    start_new_model: bool = _setting(
        False, "Move an earlier run in train_dir aside and begin anew."
    )

    @property
    def patterns_to_fit(self) -> str:
        """Patterns of all records that are trained on."""
        validation = self.eval_data_pattern if self.use_valid_as_train else None
        return ",".join(filter(None, (self.train_data_pattern, validation)))

    def that_matter(self) -> dict[str, Any]:
        """The settings that decide the result."""
        return {
            field.name: getattr(self, field.name)
            for field in dataclasses.fields(self)
            if field.metadata["matters"]
        }

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value, minimum = getattr(self, field.name), field.metadata["minimum"]
            if minimum is not None and value is not None and not value >= minimum:
                expected = "above 0" if minimum == SMALLEST_STEP else f"at least {minimum}"
                raise QuickdrawError(f"--{field.name} must be {expected}. Received: {value}")
            choices = _CHOICES.get(field.type)
            if choices and value not in choices:
                raise QuickdrawError(
                    f"--{field.name} must be one of {', '.join(choices)}. Received: {value!r}"
                )
        if self.base_learning_rate is None:
            self.base_learning_rate = _RATES[self.optimizer]
        if self.optimizer == "adam" and self.weight_decay:
            raise QuickdrawError("--optimizer=adam has no --weight_decay: adamw is Adam with it")


def define_flags(values: flags.FlagValues) -> None:
    """Defines a flag for each field of `Settings`."""
    parsers: dict[Any, flags.ArgumentParser] = {
        "int": flags.IntegerParser(),
        "int | None": flags.IntegerParser(),
        "float": flags.FloatParser(),
        "float | None": flags.FloatParser(),
        "int | float": _NumberParser(),
        **{kind: flags.EnumParser(choices) for kind, choices in _CHOICES.items()},
    }
    for field in dataclasses.fields(Settings):
        default: Any = field.default
        meaning = field.metadata["help"]
        if field.type in ("bool", "bool | None"):
            flags.DEFINE_boolean(field.name, default, meaning, flag_values=values)
        else:
            parser = parsers.get(field.type, flags.ArgumentParser())
            flags.DEFINE(parser, field.name, default, meaning, flag_values=values)


def from_flags(values: flags.FlagValues) -> Settings:
    """The settings that the flags stand for."""
    chosen: dict[str, Any] = {
        field.name: values[field.name].value for field in dataclasses.fields(Settings)
    }
    try:
        return Settings(**chosen)
    except QuickdrawError as error:
        raise UsageError(str(error)) from None


class _NumberParser(flags.ArgumentParser):
    """An int where the text looks like one, else a float."""

    syntactic_help = "a number"

    def parse(self, argument: Any) -> int | float:
        if isinstance(argument, (int, float)) and not isinstance(argument, bool):
            return argument
        if not isinstance(argument, str):
            raise TypeError(f"a number expected. Received: {argument!r}")
        try:
            return int(argument)
        except ValueError:
            return float(argument)
