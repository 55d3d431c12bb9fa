"""Runs the jobs of the Vertex AI stand-in: their replicas are processes on this machine.

Environment, restarts and exit codes are those that Vertex AI documents ("Code requirements",
"Distributed training", "Understand the training service").
"""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from google.cloud import aiplatform_v1 as v1

_TRY_AGAIN = (134, 139, -signal.SIGABRT, -signal.SIGSEGV)
_MOST_RESTARTS = 3
_TICK = 0.05


@dataclasses.dataclass
class Machine:
    """What the stand-in's machines are like.

    Attributes:
        folder: where jobs run, each attempt in a folder of its own.
        environment: of each process, beside what Vertex AI sets.
        fetch: the content of an object, by its gs:// path.
    """

    folder: Path
    environment: dict[str, str]
    fetch: Callable[[str], bytes]


class Run:
    """A running custom job, or a trial.

    Args:
        name: resource name of the job.
        spec: its `CustomJobSpec`.
        machine: where it runs.
        output: its output folder, or "".
        arguments: more arguments for the first container.
        environment: more of that.

    Attributes:
        logs: what each replica of each attempt printed.
        attempts: how often it was started.
        cancelled: set it to end the job.
    """

    def __init__(
        self,
        name: str,
        spec: Any,
        machine: Machine,
        output: str,
        arguments: list[str] | None = None,
        environment: dict[str, str] | None = None,
    ):
        self.name, self.spec, self._machine = name, spec, machine
        self._output, self._arguments = output.rstrip("/"), arguments or []
        self._environment = environment or {}
        self.logs: list[Path] = []
        self.attempts = 0
        self.cancelled = threading.Event()
        self._preempted = False
        self._processes: list[subprocess.Popen] = []

    def preempt(self) -> None:
        """Takes the machines away; the job starts again on others."""
        self._preempted = True
        self._signal(signal.SIGKILL)

    def terminate(self) -> None:
        """Asks the processes to end; their exit codes decide whether the job starts again."""
        self._signal(signal.SIGTERM)

    def run(self) -> str:
        """Runs to the end; returns what went wrong, "" if nothing did."""
        end = time.monotonic() + self.spec.scheduling.timeout.total_seconds()
        restarts = 0
        while True:
            codes = self._attempt(end)
            if self.cancelled.is_set() or time.monotonic() > end:
                return "cancelled" if self.cancelled.is_set() else "timeout"
            bad = [code for code in codes if code]
            if not bad:
                return ""
            if not self._preempted:
                restarts += 1
                if not any(code in _TRY_AGAIN for code in bad) or restarts > _MOST_RESTARTS:
                    tail = self.logs[-1].read_text(errors="replace")[-500:]
                    return f"The replica exited with a non-zero status of {bad[0]}. {tail}"
            self._preempted = False

    def _attempt(self, end: float) -> list[int]:
        """Runs all replicas once; one that fails takes the others with it."""
        self.attempts += 1
        pools = self.spec.worker_pool_specs
        places = [(pool, i) for pool, of in enumerate(pools) for i in range(of.replica_count)]
        hosts = [_free_address() for _ in places]
        self._processes = [self._start(pool, index, places, hosts) for pool, index in places]
        while any(process.poll() is None for process in self._processes):
            time.sleep(_TICK)
            failed = any(process.poll() for process in self._processes)
            if failed or self.cancelled.is_set() or time.monotonic() > end:
                time.sleep(0.5 * (len(places) > 1))  # the others notice by themselves, and say so
                self._signal(signal.SIGTERM)
                break
        for process in self._processes:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
        return [process.wait() for process in self._processes]

    def _signal(self, number: int) -> None:
        for process in self._processes:
            if process.poll() is None:
                os.killpg(process.pid, number)

    def _start(
        self, pool: int, index: int, places: list[tuple[int, int]], hosts: list[str]
    ) -> subprocess.Popen:
        folder = Path(tempfile.mkdtemp(dir=self._machine.folder))
        cluster: dict[str, list[str]] = {}
        for (of, _), host in zip(places, hosts, strict=True):
            cluster.setdefault(f"workerpool{of}", []).append(host)
        task = {"type": f"workerpool{pool}", "index": index}
        environment = {
            **self._machine.environment,
            "XDG_CACHE_HOME": str(folder / "cache"),
            "CLUSTER_SPEC": json.dumps({"cluster": cluster, "environment": "cloud", "task": task}),
            "CLOUD_ML_JOB_ID": self.name.rpartition("/")[2],
            **self._environment,
        }
        if self._output:
            environment["AIP_MODEL_DIR"] = f"{self._output}/model/"
            environment["AIP_CHECKPOINT_DIR"] = f"{self._output}/checkpoints/"
            environment["AIP_TENSORBOARD_LOG_DIR"] = f"{self._output}/logs/"
        command, more = self._command(self.spec.worker_pool_specs[pool], folder)
        self.logs.append(folder / "log")
        with open(folder / "log", "wb") as log:
            return subprocess.Popen(
                [*command, *self._arguments],
                env={**environment, **more},
                cwd=folder,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _command(self, pool: Any, folder: Path) -> tuple[list[str], dict[str, str]]:
        """What a replica runs, and its environment's additions."""
        container = pool.container_spec
        if container.image_uri:
            program, *rest = [*container.command, *container.args]
            python = [sys.executable] if program == "python" else [program]
            return [*python, *rest], {one.name: one.value for one in container.env}
        package = pool.python_package_spec
        sdist = folder / package.package_uris[0].rpartition("/")[2]
        sdist.write_bytes(self._machine.fetch(package.package_uris[0]))
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
        where = ["--no-build-isolation", "--target", str(folder / "site")]
        subprocess.run([*pip, *where, str(sdist)], check=True, capture_output=True)
        more = {one.name: one.value for one in package.env}
        command = [sys.executable, "-m", package.python_module, *package.args]
        return command, {"PYTHONPATH": str(folder / "site"), **more}


def _free_address() -> str:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return f"127.0.0.1:{free.getsockname()[1]}"


def parameters(study: Any, trial: int) -> list[tuple[str, str]]:
    """Values for a trial, from the ends of what each parameter may be."""
    chosen = []
    for parameter in study.parameters:
        if parameter.categorical_value_spec.values:
            values = list(parameter.categorical_value_spec.values)
        elif parameter.discrete_value_spec.values:
            values = [str(value) for value in parameter.discrete_value_spec.values]
        else:
            span = parameter.double_value_spec
            values = [str(span.min_value), str(span.max_value)]
        chosen.append((parameter.parameter_id, values[trial % len(values)]))
    return chosen


def measurement(path: Path) -> Any:
    """The last metric that a trial wrote in cloudml-hypertune's file format."""
    last = json.loads(path.read_text().splitlines()[-1])
    known = ("timestamp", "trial", "global_step", "checkpoint_path")
    return v1.Measurement(
        step_count=int(last["global_step"]),
        metrics=[
            v1.Measurement.Metric(metric_id=name, value=float(last[name]))
            for name in last
            if name not in known
        ],
    )
