"""The settings of a training: each stands here once, with its default and what it means.

The fields are the arguments of `quickdraw.training.fit` and the flags of `quickdraw.train`.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Literal

from quickdraw import fields
from quickdraw.components.component import Component, parse_params
from quickdraw.errors import QuickdrawError, did_you_mean
from quickdraw.fields import field
from quickdraw.records.shards import OnBadRecord
from quickdraw.tracking.mlflow_options import MlflowOptions

Distribute = Literal["auto", "none", "mirrored", "multi_worker"]
Precision = Literal["auto", "float32", "bfloat16", "float16"]
Schedule = Literal["cosine", "one_cycle", "step", "plateau", "constant"]
Monitor = Literal["top1", "loss"]
# "auto" is a number once the drawings are read, before anybody reckons with it.
if TYPE_CHECKING:
    BatchSize = int
else:
    BatchSize = int | Literal["auto"]

# Measured: see docs/experiments.md.
_RATES = {
    "adam": 0.006,
    "adamw": 0.006,
    "lion": 0.001,
    "muon": 0.006,
    "sgd": 0.1,
}
TUNED = tuple(_RATES)
"""Optimizers with settings of our own, by their short names."""

KERAS_OPTIMIZERS = (
    *("Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax", "Ftrl", "Lamb", "Lion"),
    *("Muon", "Nadam", "RMSprop", "SGD", "ScheduleFreeAdamW"),
)
"""Classes of keras.optimizers: listed, so that a mistyped name shows before Keras is loaded."""

CHANGED = "changed"
"""Of a setting that matters where it is not the default: runs from before there was such a setting
go on."""


@dataclasses.dataclass(kw_only=True)
class Settings(MlflowOptions):
    """Everything that `fit` can be told. Read the fields' texts, or `quickdraw-train --help`.

    Raises:
        QuickdrawError: a number that is too small to mean anything, or an unknown choice.
    """

    train_data_pattern: str | None = field(
        None,
        "Comma-separated patterns of the training records. Without it synthetic sample drawings "
        "are made and used.",
        path=True,
    )
    eval_data_pattern: str | None = field(
        None,
        "Patterns of the validation records. Without them no best model can be kept.",
        matters=True,
        path=True,
    )
    labels: str | None = field(
        None,
        "File with the names of the classes in label order, one a line, for records without a "
        "dataset.json; kept with the run.",
        path=True,
    )
    valid_share: float | None = field(
        None,
        "Instead of --eval_data_pattern: validate on this share of the training records (0.1) and "
        "do not train on it. It is chosen by a hash of the drawings, the same in every run.",
        above=0,
        high=0.9,
        matters=CHANGED,
    )
    train_dir: str | None = field(
        None,
        "The folder that the run is written to. Without it, runs/ and the model's name.",
        path=True,
    )
    model: str | Component = field(
        "LogisticModel",
        "Class in quickdraw.models, or dotted path of your own (my_models.MyModel).",
    )
    model_params: str | dict[str, object] = field(
        "", 'The model\'s parameters, e.g. "dense_units=256, dropout=0.5".'
    )
    label_loss: str | Component = field(
        "CrossEntropyLoss", "Class in quickdraw.losses, or dotted path of your own."
    )
    loss_params: str | dict[str, object] = field(
        "", 'The loss\' parameters, e.g. "label_smoothing=0".'
    )
    class_weights: str | dict[str, float] | None = field(
        None,
        'How much each class counts in training: balanced (rare ones more), or e.g. "cat=2, dog=3" '
        '(names with blanks as JSON: {"hot dog": 2}); the others count 1.',
        matters=True,
    )
    teacher_dir: str | None = field(
        None,
        "The folder of a run that teaches this one (--label_loss=DistillationLoss), or several, "
        "separated by commas.",
        matters=True,
        path=True,
    )
    init_from: str | None = field(
        None,
        "The folder of a run whose best weights to start from; where the classes differ, the "
        "classifier begins anew, but for those of the same name.",
        matters=CHANGED,
        path=True,
    )
    balanced_sampling: bool = field(
        False,
        "Draw each class equally often, whatever number of drawings it has.",
        matters=True,
    )
    use_valid_as_train: bool = field(
        False,
        "Train on the validation records too, for a last run when all choices are made. Validation "
        "figures then mean nothing, and the last model counts as the best.",
        matters=True,
    )
    batch_size: BatchSize = field(
        128,
        "Drawings a step. auto: 128; on a GPU as many as its memory takes, if more, up to 1,024 "
        "and a 200th of the drawings; a run that goes on keeps what it began with.",
        1,
        matters=True,
    )
    base_learning_rate: float = field(
        None,
        "The highest learning rate: reached after a warm-up, then lowered as --schedule says. "
        "Without it, "
        + ", ".join(f"{rate:g} for {optimizer}" for optimizer, rate in _RATES.items())
        + ", and the default of any other.",
        above=0,
        matters=True,
    )
    schedule: Schedule = field(
        "cosine",
        "How the learning rate is lowered: cosine (to 0), one_cycle, step (a tenth at half and at "
        "three quarters), plateau (lowered when evaluations get no better), or constant.",
        matters=True,
    )
    monitor: Monitor = field(
        "top1",
        "What makes an evaluation better than those before it, a higher top1 or a lower loss: the "
        "best model, --schedule=plateau and --early_stopping go by it.",
        matters=CHANGED,
    )
    plateau_patience: int = field(
        3,
        "Evaluations in a row that are not better after which --schedule=plateau lowers the rate.",
        1,
        matters=True,
    )
    plateau_factor: float = field(
        0.5,
        "What --schedule=plateau multiplies the learning rate by.",
        above=0,
        high=1,
        matters=CHANGED,
    )
    early_stopping: int | None = field(
        None, "Ends the training after so many evaluations in a row that are not better.", 1
    )
    optimizer: str = field(
        "adamw",
        "adam (without weight decay), adamw, lion, muon, or sgd with Nesterov momentum; or a class "
        "of keras.optimizers (RMSprop, Adagrad, SGD without momentum, ...), or dotted path of your "
        "own.",
        matters=True,
    )
    optimizer_params: str | dict[str, object] = field(
        "",
        'The optimizer\'s parameters, e.g. "beta_1=0.95, epsilon=1e-6". Gradients are clipped to '
        "global_clipnorm=1, or as clipnorm, clipvalue or global_clipnorm say here (None: not at "
        "all).",
        matters=CHANGED,
    )
    momentum: float | None = field(
        None,
        "The optimizer's momentum, where it has one: 0.9 for sgd without this flag. Adam's are "
        '--optimizer_params="beta_1=0.9, beta_2=0.999".',
        0,
        1,
        matters=CHANGED,
    )
    weight_decay: float = field(
        0.0,
        "Share by which weights shrink each step, times the learning rate; biases and "
        "normalisations are left alone.",
        0,
        matters=True,
    )
    ema_decay: float = field(
        0.0,
        "Predict with an exponential moving average of the weights, of which each step keeps this "
        "share (0.999). 0 is off.",
        0,
        0.999999,  # 1 would keep the first weights forever
        matters=True,
    )
    augment: str | Component = field(
        "",
        'Random changes to the training drawings, e.g. "flip=True, shift=2, rotation=10"; see '
        "quickdraw.training.augmentation.",
        matters=True,
    )
    num_epochs: float = field(8.0, "How often each drawing is seen.", above=0, matters=True)
    max_steps: int | None = field(
        None, "Ends the training after so many steps, if earlier.", 1, matters=True
    )
    eval_every: int | float = field(
        1.0,
        "How often to evaluate. With a decimal point it counts epochs (0.5 is twice an epoch), "
        "without one steps (500).",
        above=0,
    )
    checkpoint_every_steps: int = field(
        1000, "Steps between checkpoints. Each evaluation writes one too.", 1
    )
    checkpoint_every_minutes: float = field(
        5.0, "Minutes after which a checkpoint is written in any case.", above=0
    )
    keep_checkpoints: int = field(3, "How many checkpoints to keep, beside the best model.", 1)
    image_size: int | None = field(
        None, "Resize the images to so many pixels a side; kept with the run.", 1, 1024
    )
    crop: int | None = field(
        None,
        "Keep so many pixels a side of the images, in the middle, after --image_size; kept with "
        "the run.",
        1,
        matters=CHANGED,
    )
    pixel_mean: float = field(
        0.0,
        "Subtracted from the pixels, which are 0 (paper) to 1 (ink); kept with the run.",
        0,
        1,
        matters=CHANGED,
    )
    pixel_std: float = field(
        1.0,
        "What is left of the pixels is divided by it: --pixel_mean=0.5 --pixel_std=0.5 makes them "
        "-1 to 1. Kept with the run.",
        above=0,
        high=1,
        matters=CHANGED,
    )
    on_bad_record: OnBadRecord = field(
        "error", "What to do about a record that cannot be used: stop (error) or go on (skip)."
    )
    memory_budget: float | None = field(
        None,
        "Megabytes that the decoded drawings may take in memory, or on the GPU; more are streamed "
        "from the cache. Without it, half of what there is.",
        above=0,
    )
    cache_megabytes: float = field(
        20_000.0, "How large the cache of decoded drawings on disk may become.", 0
    )
    distribute: Distribute = field(
        "auto",
        "none: one device; mirrored: all GPUs of this machine; multi_worker: the machines that "
        "TF_CONFIG names.",
    )
    accumulate_steps: int = field(
        1, "Take each batch in so many parts, one after the other, where memory is short.", 1
    )
    precision: Precision = field(
        "float32",
        "What layers compute in. bfloat16 suits GPUs, and CPUs with AVX512-BF16; float16 (with "
        "loss scaling) GPUs. auto: bfloat16 where it is measured to be faster, else float32; a run "
        "that goes on keeps what it began with.",
        matters=True,
    )
    deterministic: bool | None = field(
        None,
        "Let the same run give the same bits each time. Without it: on a CPU, where it costs "
        "nothing worth mentioning, but not on a GPU, nor with --xla.",
    )
    xla: bool | None = field(
        None,
        "Compile the step with XLA. Without it: on a GPU, where it is measured to be faster in a "
        "training that is long enough to earn the compiling; not on CPUs, where it is slower.",
    )
    sync_batch_norm: bool = field(
        False, "BatchNormalization over all replicas together instead of over each by itself."
    )
    print_model: bool = field(
        False, "Print the network, layer by layer, with its number of weights; then go on."
    )
    accept_changed_data: bool = field(
        False, "Go on with a run although its training records have changed since."
    )
    seed: int = field(
        0, "Decides the first weights and the order of the drawings.", 0, 2**32 - 1, matters=True
    )
    start_new_model: bool = field(False, "Move an earlier run in train_dir aside and begin anew.")

    @property
    def is_validated(self) -> bool:
        """Whether there are validation records."""
        return bool(self.eval_data_pattern or self.valid_share)

    @property
    def patterns_to_fit(self) -> str:
        """Patterns of all records that are trained on."""
        validation = self.eval_data_pattern if self.use_valid_as_train else None
        return ",".join(filter(None, (self.train_data_pattern, validation)))

    def that_matter(self) -> dict[str, object]:
        """Return the settings that decide the result."""
        return {
            each.name: value
            for each in dataclasses.fields(self)
            if (matters := each.metadata.get("matters"))
            and (
                (value := getattr(self, each.name)) not in (each.default, {}) or matters != CHANGED
            )
        }

    def __post_init__(self) -> None:
        super().__post_init__()
        fields.check(self, "--")
        self.optimizer = _optimizer(self.optimizer)
        if isinstance(self.optimizer_params, str):
            self.optimizer_params = parse_params(self.optimizer_params)
        if self.base_learning_rate is None and self.optimizer in TUNED:
            self.base_learning_rate = _RATES[self.optimizer]
        if self.optimizer == "adam" and self.weight_decay:
            raise QuickdrawError("--optimizer=adam has no --weight_decay: adamw is Adam with it")


def _optimizer(name: str) -> str:
    """Return the name of an optimizer as Keras spells it; dotted paths are looked up later.

    Raises:
        QuickdrawError: no such optimizer, with the nearest known name.
    """
    if name in TUNED or "." in name:
        return name
    found = [known for known in KERAS_OPTIMIZERS if name in (known, known.lower())]
    if not found:
        known = {*TUNED, *(one for one in KERAS_OPTIMIZERS if one.lower() not in TUNED)}
        raise QuickdrawError(f"--optimizer: no optimizer {name!r}{did_you_mean(name, known)}")
    return found[0]
