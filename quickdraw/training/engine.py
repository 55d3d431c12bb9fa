"""`fit`: from records to a run."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable

from quickdraw import devices, runs
from quickdraw.console import in_notebook, log
from quickdraw.errors import QuickdrawError
from quickdraw.runs.folder import holds_run, open_folder
from quickdraw.storage.lock import lock
from quickdraw.tracking.live_curves import LiveCurves
from quickdraw.tracking.tracker import Tracker, Trackers
from quickdraw.training.compiling import make_train_steps
from quickdraw.training.data import cache
from quickdraw.training.loop import Loop
from quickdraw.training.plan import plan_of
from quickdraw.training.schedules import planned_rate
from quickdraw.training.settings import Settings
from quickdraw.training.setup import Setup, prepare
from quickdraw.training.state import make_deterministic


def fit(settings: Settings, trackers: Iterable[Tracker] = ()) -> runs.TrainedModel:
    """Train a model; called again with the same settings, go on where it stopped.

    Args:
        settings: `train_data_pattern` and `train_dir` must be among them; `model` and `label_loss`
            may be instances of one's own classes.
        trackers: who else is told how it goes, beside TensorBoard and, with `mlflow`, MLflow.

    Returns:
        The best model on the validation records, or the last where there are none.

    Raises:
        QuickdrawError: anything that the caller can put right; see the messages.
    """
    if not isinstance(settings, Settings):
        raise QuickdrawError(f"fit takes Settings(…). Received: {type(settings).__name__}")
    if not settings.train_dir:
        raise QuickdrawError("train_dir must be given")

    # 1. Devices, and the lock: only the chief writes, so only the chief needs it.
    listening = Trackers([*_trackers(settings), *trackers])
    here = devices.create(settings.distribute)
    unlocked = contextlib.nullcontext(lambda: None)
    with lock(settings.train_dir) if here.is_chief else unlocked as may_write:
        # 2. Names, numbers and drawings.
        setup = prepare(settings, here, cache.load)

        # 3. to 5. Folder, model and loop.
        train(setup, may_write, listening)

    # 6. What the caller gets.
    setup.train.bad.report()
    return runs.load(settings.train_dir)


def train(
    setup: Setup,
    may_write: Callable[[], None] = lambda: None,
    trackers: Trackers | None = None,
) -> Loop:
    """Train in `setup.settings.train_dir`, to the end.

    Args:
        setup: what is trained, on what, where.
        may_write: raises an error where this process may write to train_dir no more.
        trackers: who is told how it goes.

    Raises:
        QuickdrawError: see `Loop.run`; or the folder holds something else.
    """
    settings, run = setup.settings, setup.run
    assert settings.train_dir
    folder = settings.train_dir, settings.start_new_model, settings.accept_changed_data
    make_deterministic(settings)

    # 3. Model, objective, optimizer and the compiled step: a student's code is tried here, before
    # there is a run, but not for a folder that is not this run's.
    if setup.devices.is_chief:
        holds_run(run, *folder)
    plan = plan_of(settings, len(setup.train))
    train_steps = make_train_steps(setup, planned_rate(settings, plan.total))

    # 4. Whose folder: the chief makes train_dir the run's; the others wait for that.
    if setup.devices.is_chief and open_folder(run, *folder):
        log(f"{settings.train_dir} holds this run already: going on with it")
        run.started = runs.read(settings.train_dir).started
    setup.devices.barrier()

    # 5. The loop, from the newest checkpoint to the end.
    trackers = trackers if trackers and setup.devices.is_chief else Trackers()
    loop = Loop(setup, train_steps, plan, trackers)
    with trackers.told(run, settings.train_dir, loop.step):
        loop.run(may_write)
        if setup.devices.is_chief:
            run.finished_step = loop.step
            run.save(settings.train_dir)
    setup.devices.barrier()
    return loop


def _trackers(settings: Settings) -> list[Tracker]:
    """Return who listens to every training, and who was asked for."""
    from quickdraw.tracking.tensorboard import TensorBoard

    found: list[Tracker] = [TensorBoard()]
    if in_notebook():
        found.append(LiveCurves())
    if settings.mlflow:
        from quickdraw.tracking.mlflow_tracker import MlflowTracker

        found.append(MlflowTracker(settings))
    return found
