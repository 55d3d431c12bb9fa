"""The trials of a sweep: asked for from Optuna, trained in processes of their own, recorded."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import time
from typing import Any

from absl import flags

from quickdraw import storage
from quickdraw.errors import QuickdrawError, StoppedError
from quickdraw.metrics import evaluations
from quickdraw.progress import log
from quickdraw.sweeping import results, search
from quickdraw.sweeping.results import Row
from quickdraw.training.folder import lock

try:
    import optuna
    from optuna.trial import TrialState
except ImportError:
    raise QuickdrawError(
        "a sweep needs Optuna: pip install 'quickdraw[sweep]', or pip install '.[sweep]' in a "
        "checkout"
    ) from None

_TRAIN = [sys.executable, "-m", "quickdraw.train"]
_POLL_SECONDS = 0.5
# Optuna's GridSampler works within Study.optimize only: a grid is put in line instead.
_SAMPLERS: dict[str, Any] = {
    "random": optuna.samplers.RandomSampler,
    "grid": optuna.samplers.RandomSampler,
    "tpe": optuna.samplers.TPESampler,
}
_STOPPED = (StoppedError.exit_code, 130, -signal.SIGINT, -signal.SIGTERM)


class Sweep:
    """A study in a folder, begun or gone on with.

    Args:
        values: the flags of quickdraw.sweep.
        space: what to search.
        trained: the flags of train.
        passed: those of them that every trial gets.

    Raises:
        QuickdrawError: the folder holds a sweep of something else.
    """

    def __init__(
        self,
        values: flags.FlagValues,
        space: search.Space,
        trained: flags.FlagValues,
        passed: list[str],
    ):
        self._values, self._space, self._trained, self._passed = values, space, trained, passed
        self._folder = values.study_dir
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._study = optuna.create_study(
            storage=f"sqlite:///{os.path.abspath(self._folder)}/study.db",
            study_name="sweep",
            direction="maximize",
            pruner=optuna.pruners.MedianPruner() if values.prune else optuna.pruners.NopPruner(),
            load_if_exists=True,
        )
        self._check_same({"search": values.search, "flags": passed})
        self._take_up()

    def _check_same(self, now: dict[str, Any]) -> None:
        earlier = self._study.user_attrs
        for name, value in now.items():
            if earlier.get(name, value) != value:
                raise QuickdrawError(
                    f"{self._folder} holds a sweep with other {name}: {earlier[name]!r} → "
                    f"{value!r}. Use the same, or another --study_dir"
                )
            self._study.set_user_attr(name, value)

    def _take_up(self) -> None:
        """Puts in line the trial at which a sweep was stopped, and those of a grid."""
        for trial in self._study.get_trials(states=[TrialState.RUNNING]):
            self._study.tell(trial.number, state=TrialState.FAIL)
            self._study.enqueue_trial(trial.params, trial.user_attrs)
        if self._values.sampler == "grid":
            choices = [of.values for of in self._space.values() if isinstance(of, search.Choice)]
            for point in itertools.product(*choices):
                params = dict(zip(self._space, point, strict=True))
                self._study.enqueue_trial(params, skip_if_exists=True)

    def run(self) -> None:
        """Runs trials until there are enough.

        Raises:
            StoppedError: a training was stopped from outside.
        """
        minutes = self._values.max_minutes
        end = float("inf") if minutes is None else time.monotonic() + 60 * minutes
        while len(self.rows()) < self._values.trials and time.monotonic() < end:
            # A seed for each trial: a sweep that goes on draws what it would have drawn.
            self._study.sampler = _SAMPLERS[self._values.sampler](seed=len(self.rows()))
            if self._values.sampler == "grid" and not self._waiting():
                log("every combination has been tried")
                break
            self._trial()
            results.save(self._folder, self._space, self.rows())

    def _waiting(self) -> list[Any]:
        return self._study.get_trials(states=[TrialState.WAITING])

    def _trial(self) -> None:
        trial = self._study.ask()
        name = trial.user_attrs.get("folder", f"trial-{trial.number:03}")
        trial.set_user_attr("folder", name)
        point = {name: _suggest(trial, name, of) for name, of in self._space.items()}
        train_dir = os.path.join(self._folder, name)
        log(f"{name}: {results.described(point)}")
        _wait_for_earlier(train_dir)
        code = self._train(trial, point, train_dir)
        best = max(evaluations(train_dir).values(), default=None)
        if code is None:
            trial.set_user_attr("pruned_at", best)
            self._study.tell(trial, state=TrialState.PRUNED)
        elif code == 0 and best is not None:
            self._study.tell(trial, best)
        else:
            trial.set_user_attr("error", _error(f"{train_dir}.log", code))
            self._study.tell(trial, state=TrialState.FAIL)
        log(str(self.rows()[-1]))

    def _train(self, trial: Any, point: dict[str, Any], train_dir: str) -> int | None:
        """Trains; returns the exit code, None for a trial that was pruned."""
        given = [*self._passed, *search.arguments(point, self._trained), f"--train_dir={train_dir}"]
        told = 0
        with open(f"{train_dir}.log", "ab") as output:
            process = subprocess.Popen([*_TRAIN, *given], stdout=output, stderr=output)
            try:
                while process.poll() is None:
                    time.sleep(_POLL_SECONDS)
                    top1 = list(evaluations(train_dir).values())
                    for number, value in enumerate(top1[told:], told):
                        trial.report(value, number)
                    if len(top1) > told and process.poll() is None and trial.should_prune():
                        return None
                    told = len(top1)
            finally:
                process.terminate()
                process.wait()
        if process.returncode in _STOPPED:
            raise StoppedError(f"stopped in {train_dir}: the same command goes on from there")
        return process.returncode

    def rows(self) -> list[Row]:
        """The trials that have come to an end, in their order."""
        rows = []
        for trial in self._study.get_trials(deepcopy=False):
            error, folder = trial.user_attrs.get("error", ""), trial.user_attrs.get("folder", "")
            minutes = trial.duration.total_seconds() / 60 if trial.duration else 0.0
            state = {"COMPLETE": "done", "PRUNED": "pruned"}.get(trial.state.name)
            top1 = trial.value if state == "done" else trial.user_attrs.get("pruned_at")
            if state or error:
                rows.append(Row(folder, state or "failed", top1, minutes, trial.params, error))
        return rows

    def table(self) -> str:
        """The trials for the terminal, the best first."""
        return results.table(self._space, self.rows())


def _suggest(trial: Any, name: str, of: search.Range | search.Choice) -> Any:
    if isinstance(of, search.Choice):
        return trial.suggest_categorical(name, of.values)
    suggest = trial.suggest_int if isinstance(of.low, int) else trial.suggest_float
    return suggest(name, of.low, of.high, log=of.log)


def _wait_for_earlier(train_dir: str) -> None:
    """A sweep that was killed leaves its training behind; that comes to its end first."""
    told = False
    while os.path.isdir(train_dir):
        try:
            with lock(train_dir):
                return
        except QuickdrawError:
            if not told:
                log(f"waiting for the training that still goes on in {train_dir}")
            told = True
            time.sleep(_POLL_SECONDS)


def _error(path: str, code: int) -> str:
    """The line of a training's log that tells why it failed."""
    if code < 0:
        return f"killed by {signal.Signals(-code).name}"
    with storage.open_binary(path) as file:
        lines = file.read().decode(errors="replace").splitlines()
    told = [line for line in lines if line.strip() and not line.startswith("See ")]
    return told[-1].removeprefix("python -m quickdraw.train: ") if told else f"exit code {code}"
