"""The trials of a sweep: asked for from Optuna, trained in processes of their own, recorded."""

from __future__ import annotations

import hashlib
import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

from absl import flags

from quickdraw import storage
from quickdraw.console import log
from quickdraw.errors import QuickdrawError, StoppedError
from quickdraw.extras import needs
from quickdraw.fields import with_home
from quickdraw.runs import record
from quickdraw.runs.history import evaluations
from quickdraw.storage.lock import lock
from quickdraw.tracking.mlflow_options import MlflowOptions
from quickdraw.tracking.mlflow_sweep import SweepTracker
from quickdraw.tuning import results, search
from quickdraw.tuning.options import SweepOptions
from quickdraw.tuning.results import Row

with needs("sweep"):
    import matplotlib  # noqa: F401  (needed when a trial has ended: better to know now)
    import optuna
    from optuna.trial import TrialState
    from sqlalchemy.pool import NullPool  # Optuna's own need

_TRAIN = [sys.executable, "-m", "quickdraw.train"]
_POLL_SECONDS = 0.5
# Optuna's GridSampler works within Study.optimize only: a grid is put in line instead.
_SAMPLERS: dict[str, Callable[..., optuna.samplers.BaseSampler]] = {
    "random": optuna.samplers.RandomSampler,
    "grid": optuna.samplers.RandomSampler,
    "tpe": optuna.samplers.TPESampler,
}
_FREE = ("config", "mlflow", "mlflow_experiment")  # may be others when a sweep goes on
_STOPPED = (StoppedError.exit_code, 129, 130, 143, -signal.SIGINT, -signal.SIGTERM)


class Sweep:
    """A study in a folder, begun or gone on with.

    Args:
        options: how to go about it; its `study_dir` is there.
        space: what to search.
        train_flags: the flags of train.
        passed: those of them that every trial gets, as arguments.

    Raises:
        QuickdrawError: the folder holds a sweep of something else.
    """

    def __init__(
        self,
        options: SweepOptions,
        space: search.Space,
        train_flags: flags.FlagValues,
        passed: list[str],
    ):
        self._options = options
        self._space = space
        self._train_flags = train_flags
        self._passed = passed
        self._folder = str(options.study_dir)
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        # Without a pool, which would leave connections open that nobody closes.
        url = f"sqlite:///{os.path.abspath(self._folder)}/study.db"
        self._study = optuna.create_study(
            storage=optuna.storages.RDBStorage(url, {"poolclass": NullPool}),
            study_name="sweep",
            direction="maximize",
            pruner=optuna.pruners.MedianPruner() if options.prune else optuna.pruners.NopPruner(),
            load_if_exists=True,
        )
        # Trials are compared with each other: all are to have the same flags and the same records.
        chosen = {
            flag.name: flag.value for flag in _flags_of(train_flags) if flag.name not in _FREE
        }
        self._check_same({"search": options.search, "flags": chosen, "records": _records(chosen)})
        self._take_up()

    def _check_same(self, now: dict[str, object]) -> None:
        earlier = self._study.user_attrs
        for name, value in now.items():
            if earlier.get(name, value) != value:
                raise QuickdrawError(
                    f"{self._folder} holds a sweep with other {name}: {earlier[name]!r} → "
                    f"{value!r}. Use the same, or another --study_dir"
                )
            self._study.set_user_attr(name, value)

    def _take_up(self) -> None:
        """Put in line the trial at which a sweep was stopped, and those of a grid."""
        for trial in self._study.get_trials(states=[TrialState.RUNNING]):
            self._study.tell(trial.number, state=TrialState.FAIL)
            self._study.enqueue_trial(trial.params, trial.user_attrs)
        if self._options.sampler == "grid":
            domains = self._space.values()
            choices = [each.values for each in domains if isinstance(each, search.Choice)]
            for point in itertools.product(*choices):
                params = dict(zip(self._space, point, strict=True))
                self._study.enqueue_trial(params, skip_if_exists=True)

    def run(self) -> None:
        """Run trials until there are enough.

        Raises:
            StoppedError: a training was stopped from outside.
        """
        flags = self._train_flags
        server = MlflowOptions(mlflow=flags.mlflow, mlflow_experiment=flags.mlflow_experiment)
        with SweepTracker(self._folder, server, self._options.search) as tracker:
            self._run(tracker)

    def _run(self, tracker: SweepTracker) -> None:
        minutes = self._options.max_minutes
        end = float("inf") if minutes is None else time.monotonic() + 60 * minutes
        while len(self.rows()) < self._options.trials and time.monotonic() < end:
            # A seed for each trial: a sweep that goes on draws what it would have drawn.
            self._study.sampler = _SAMPLERS[self._options.sampler](seed=len(self.rows()))
            if self._options.sampler == "grid" and not self._study.get_trials(
                states=[TrialState.WAITING]
            ):
                log("every combination has been tried")
                break
            self._trial()
            results.save_table(self._folder, self._space, self.rows())
            if self._completed():
                results.save_plot(self._folder, self._study)
            tracker.tell([trial.value for trial in self._completed()])
        if not self._completed():
            log("no trial has been completed: there is nothing to draw in results.png")

    def _completed(self) -> list[Any]:
        return self._study.get_trials(deepcopy=False, states=[TrialState.COMPLETE])

    def _trial(self) -> None:
        trial = self._study.ask()
        name = trial.user_attrs.get("folder", f"trial-{trial.number:03}")
        trial.set_user_attr("folder", name)
        point = {name: _suggest(trial, name, domain) for name, domain in self._space.items()}
        train_dir = os.path.join(self._folder, name)
        log(f"{name}: {results.described(point)}")
        _wait_for_earlier(train_dir)
        code = self._train(trial, point, train_dir)
        best = max(evaluations(train_dir).values(), default=None)
        if code is None:
            trial.set_user_attr("pruned_at", best)
            self._study.tell(trial, state=TrialState.PRUNED)
        elif code == 0 and best is not None:
            self._warn_of_edited(record.read(train_dir).code)
            self._study.tell(trial, best)
        else:
            trial.set_user_attr("error", results.why_it_failed(f"{train_dir}.log", code))
            self._study.tell(trial, state=TrialState.FAIL)
        log(str(self.rows()[-1]))

    def _warn_of_edited(self, code: dict[str, str]) -> None:
        before = self._study.user_attrs.get("code", {})
        if edited := [name for name in code if before.get(name, code[name]) != code[name]]:
            names = ", ".join(edited)
            log(f"warning: {names}: edited since the first trials, which do not compare with this")
        self._study.set_user_attr("code", code | before)

    def _train(
        self, trial: optuna.Trial, point: Mapping[str, object], train_dir: str
    ) -> int | None:
        """Train; return the exit code, None for a trial that was pruned."""
        searched = search.arguments(point, self._train_flags)
        given = [*self._passed, *searched, f"--train_dir={train_dir}"]
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
        """Return the trials that have come to an end, in their order."""
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
        """Return the trials for the terminal, the best first."""
        return results.table(self._space, self.rows())


def _suggest(trial: Any, name: str, domain: search.Range | search.Choice) -> str | int | float:
    if isinstance(domain, search.Choice):
        return trial.suggest_categorical(name, domain.values)
    suggest = trial.suggest_int if isinstance(domain.low, int) else trial.suggest_float
    return suggest(name, domain.low, domain.high, log=domain.log)


def _wait_for_earlier(train_dir: str) -> None:
    """Wait for the training that a killed sweep left behind: it comes to its end first."""
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


def _flags_of(values: flags.FlagValues) -> list[flags.Flag[object]]:
    """Return the flags that are set to something else than their default."""
    every = [values[name] for name in sorted(values)]
    return [flag for flag in every if flag.value != flag.default]


def _records(chosen: Mapping[str, Any]) -> str:
    """Return how many files of records there are, and a hash of their content."""
    patterns = [chosen.get(f"{name}_data_pattern") for name in ("train", "eval")]
    files = storage.expand(with_home(",".join(filter(None, patterns)))) if any(patterns) else []
    digest = hashlib.blake2b(digest_size=8)
    for path in files:
        digest.update(f"{path} {storage.checksum(path)}\n".encode())
    return f"{len(files)} files, {digest.hexdigest()}"
