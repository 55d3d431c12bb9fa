"""The flags that commands on a trained run share."""

from __future__ import annotations

import dataclasses

from quickdraw import cli, environment
from quickdraw.fields import field
from quickdraw.records.shards import OnBadRecord


@dataclasses.dataclass(kw_only=True)
class ReadingFlags(cli.Config):
    """Of commands that read records."""

    on_bad_record: OnBadRecord = field(
        "error", "What to do about a record that cannot be used: stop (error) or go on (skip)."
    )


@dataclasses.dataclass(kw_only=True)
class RunFlags(ReadingFlags):
    """Of commands that try a run on labelled records."""

    train_dir: str = field(environment.TRAIN_DIR, "The folder of the run.", path=True)
    eval_data_pattern: str | None = field(
        None,
        "Patterns of labelled records. Without it, those that the training was validated on.",
        path=True,
    )
