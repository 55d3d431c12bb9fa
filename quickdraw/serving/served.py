"""The served models: loaded at the start, replaced when a run has a better one."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Sequence

from quickdraw.console import log
from quickdraw.errors import QuickdrawError
from quickdraw.runs.exported import Description
from quickdraw.serving import exporting
from quickdraw.serving.asking import BadRequestError
from quickdraw.serving.by_keras import KerasRecogniser
from quickdraw.serving.exporting import NotExportedError, ServedRun
from quickdraw.serving.recogniser import Recogniser


class ServedModels:
    """The models, in the order in which they were named.

    Args:
        train_dirs: the folders of their runs, local or gs://.

    Raises:
        QuickdrawError: a folder is not a run, or cannot be exported.
    """

    def __init__(self, train_dirs: Sequence[str]):
        self._runs: list[ServedRun] = [exporting.look_at(each) for each in train_dirs]
        self._models: list[Recogniser] = []
        for run in self._runs:
            model = _loaded(run)
            model.name = _unlike(model.name, [each.name for each in self._models])
            self._models.append(model)
            log(f"serving {model.name}: {_shown(model.description)}")

    @property
    def all(self) -> list[Recogniser]:
        """The current models."""
        return list(self._models)

    @property
    def labels(self) -> frozenset[str]:
        """All classes that any of the models knows."""
        return frozenset(label for model in self._models for label in model.description.labels)

    def named(self, names: Sequence[str] | None) -> list[Recogniser]:
        """Return the models of these names; None for all.

        Raises:
            BadRequestError: an unknown name.
        """
        if names is None:
            return self.all
        by_name = {model.name: model for model in self._models}
        if unknown := [name for name in names if name not in by_name]:
            raise BadRequestError(
                f"models: some of {', '.join(by_name)} expected. Received: {unknown[0][:80]!r}"
            )
        return [by_name[name] for name in names]

    def described(self) -> list[dict[str, object]]:
        """Return the description of each model for the page."""
        return [
            {
                **dataclasses.asdict(model.description),
                "name": model.name,
                "runtime": model.runtime,
            }
            for model in self._models
        ]

    def gallery(self) -> dict[str, list[str]]:
        """Return, for each label, a few drawings that the models were validated on."""
        found: dict[str, list[str]] = {}
        for model in self._models:
            found = {**model.gallery, **found}
        return found

    def renew(self) -> int:
        """Load newer models of the runs; return how many. Blocks for seconds."""
        count = 0
        for number, run in enumerate(self._runs):
            try:
                now = exporting.look_at(run.train_dir)
                if now == run:
                    continue
                model = _loaded(now, self._models[number].name)
            except QuickdrawError as error:  # the loaded model stays in service
                log(f"warning: {run.train_dir} is served as it was: {error}")
                continue
            # The list is replaced, not changed: requests in progress keep the old one.
            self._models[number], self._runs[number] = model, now
            exporting.forget(run)
            log(f"serving {model.name} anew: {_shown(model.description)}")
            count += 1
        return count

    async def follow(self, seconds: float) -> None:
        """Call `renew` every so many seconds, until cancelled."""
        while True:
            await asyncio.sleep(seconds)
            await asyncio.to_thread(self.renew)


def _loaded(run: ServedRun, name: str | None = None) -> Recogniser:
    """Load the model of a run: on onnxruntime, or by Keras if it does not convert."""
    try:
        return Recogniser(exporting.onnx_of(run), name)
    except NotExportedError as error:
        log(f"warning: {error}. It is served by Keras, in a process of its own, and slower")
        return KerasRecogniser(run.train_dir, name)


def _unlike(name: str, others: Sequence[str]) -> str:
    """Return a name that is different from the others."""
    number, made = 2, name
    while made in others:
        number, made = number + 1, f"{name} ({number})"
    return made


def _shown(description: Description) -> str:
    (run, *_) = description.runs
    return f"{run['model']}, step {run['step']:,}, {len(description.labels)} classes"
