"""What the environment says: where a cache is, what Vertex AI tells a job, and how a job answers.

Source: Vertex AI documentation, "Code requirements" (AIP_*), "Distributed training" (CLUSTER_SPEC),
"Understand the training service" (exit codes), "Hyperparameter tuning overview" (hypertune).
"""

from __future__ import annotations

import json
import os
import time

from quickdraw.errors import QuickdrawError, StoppedError

TRAIN_DIR = "runs/LogisticModel"
"""The default of `--train_dir`: where `train` without flags leaves its run."""
METRIC = "eval_top1"
"""The metricId of a hyperparameter tuning job."""
EXPERIMENT = "QUICKDRAW_EXPERIMENT"
"""The variable, `project/region/experiment/run`, by which the submitter asks for a log entry."""
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1"}
"""For a process that leaves linear algebra alone: the other threads of OpenBLAS would only wait,
and do that by spinning, for 0.1 s of CPU."""
_METRIC_FILE = "/tmp/hypertune/output.metrics"
# As after SIGABRT: of the exit codes that a program can choose, one that Vertex AI tries again.
_EXIT_TRY_AGAIN = 134
_POOLS = {"workerpool0": "chief", "workerpool1": "worker"}


def cache_folder() -> str:
    """Return where this package keeps what can be made again: $XDG_CACHE_HOME/quickdraw."""
    home = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.join(home, "quickdraw")


def output_folder() -> str | None:
    """Return the job's baseOutputDirectory, a trial's own part of it; None elsewhere."""
    checkpoints = os.environ.get("AIP_CHECKPOINT_DIR") or os.environ.get("AIP_MODEL_DIR", "")
    return os.path.dirname(checkpoints.rstrip("/")) or None


def train_dir(given: str) -> str:
    """Return the value of `--train_dir`; where it was not given, the job's baseOutputDirectory."""
    return (output_folder() if given == TRAIN_DIR else None) or given


def exit_code(code: int) -> int:
    """Return the exit code on which Vertex AI, if this is its job, starts stopped work again."""
    stopped = code == StoppedError.exit_code and "CLOUD_ML_JOB_ID" in os.environ
    return _EXIT_TRY_AGAIN if stopped else code


def set_tf_config() -> None:
    """Derive TF_CONFIG, for several workers, from CLUSTER_SPEC, which every container gets.

    Raises:
        QuickdrawError: CLUSTER_SPEC cannot be understood.
    """
    text = os.environ.get("CLUSTER_SPEC") or '{"cluster": {}}'
    try:
        spec = json.loads(text)
        cluster = {_POOLS[pool]: hosts for pool, hosts in spec["cluster"].items() if pool in _POOLS}
        if "TF_CONFIG" in os.environ or sum(map(len, cluster.values())) < 2:
            return
        pool = spec["task"]["type"]
        task = {"type": _POOLS.get(pool, pool), "index": spec["task"]["index"]}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise QuickdrawError(f"CLUSTER_SPEC cannot be understood. Received: {text[:300]}") from None
    os.environ["TF_CONFIG"] = json.dumps({"cluster": cluster, "task": task})


def report_trial(step: int, metrics: dict[str, float]) -> None:
    """Tell a hyperparameter tuning job how good its trial is; do nothing elsewhere.

    It adds a line to the file that cloudml-hypertune writes and Vertex AI reads.
    """
    trial = os.environ.get("CLOUD_ML_TRIAL_ID")
    if not trial:
        return
    path = os.environ.get("CLOUD_ML_HP_METRIC_FILE", _METRIC_FILE)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    line = {
        "timestamp": time.time(),
        "trial": trial,
        METRIC: str(metrics["top1"]),
        "global_step": str(step),
        "checkpoint_path": "",
    }
    with open(path, "a", encoding="utf-8") as file:
        file.write(json.dumps(line, sort_keys=True) + "\n")
