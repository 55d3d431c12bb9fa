"""Google Cloud on this machine: object store, metadata server and Vertex AI behind one proxy."""

from __future__ import annotations

import dataclasses
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.append(str(Path(__file__).resolve().parents[1]))

from standins import front, gcs, vertex
from standins.gcs_store import Store
from standins.vertex_jobs import Machine

import quickdraw
from quickdraw.storage import client

ROOT = Path(__file__).resolve().parents[2]
BUCKET = "art-class"
MY_MODELS = """
from keras import layers
from quickdraw.models import BaseModel

class MyModel(BaseModel):
    units: int = 8

    def create_model(self, images, num_classes):
        x = layers.Flatten()(images)
        return layers.Dense(num_classes)(layers.Dense(self.units, activation="relu")(x))
"""


@dataclasses.dataclass
class Cloud:
    """All of it.

    Attributes:
        store: what lies in the buckets.
        gcs: the server of the store.
        service: Vertex AI.
        front: the proxy through which programs reach these instead of Google's.
        environment: with which they do.
        checkout: a student's copy of the repository, with a module of their own.
    """

    store: Store
    gcs: gcs.Server
    service: vertex.Service
    front: front.Front
    environment: dict[str, str]
    checkout: Path

    def names(self, prefix: str = "") -> list[str]:
        """The names of the objects that begin so."""
        return sorted(name for name in self.store.objects(BUCKET) if name.startswith(prefix))

    def read(self, name: str) -> bytes:
        return self.store.get(BUCKET, name).data

    def wait_for(self, condition: Callable[[], Any], seconds: float = 240) -> None:
        """Waits until the condition holds."""
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, self.told()
            time.sleep(0.05)

    def told(self) -> str:
        """The ends of all that jobs printed."""
        runs = [run for of_job in self.service.runs.values() for run in of_job]
        logs = [log for run in runs for log in run.logs if log.exists()]
        return "it took too long\n" + "\n".join(log.read_text()[-1000:] for log in logs)

    def has_ended(self, job: str) -> bool:
        return self.state(job) not in ("JOB_STATE_QUEUED", "JOB_STATE_RUNNING")

    def state(self, job: str) -> str:
        return self.service.jobs[job].state.name


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A student's copy of the repository."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("setup.py", "pyproject.toml", "MANIFEST.in", "README.en.md", "LICENSE"):
        shutil.copy2(ROOT / name, folder)
    for name in ("quickdraw", "cloud"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    (folder / "my_models.py").write_text(MY_MODELS)
    return folder


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory, checkout: Path) -> Iterator[Cloud]:
    """Google Cloud, with a bucket."""
    folder, store = tmp_path_factory.mktemp("cloud"), Store()
    store.make_bucket(BUCKET, private=True)

    def fetch(path: str) -> bytes:
        return store.get(*path.removeprefix("gs://").split("/", 1)).data

    machine = Machine(folder, {}, fetch)
    with gcs.serve(store) as server, vertex.serve(machine) as service:
        server.token = "token-1"
        port = server.server_address[1]
        hosts = {
            "storage.googleapis.com": port,
            "www.googleapis.com": port,
            "iamcredentials.googleapis.com": port,
            "us-central1-aiplatform.googleapis.com": service.rest_port,
            "us-central1-aiplatform.googleapis.com/h2": service.grpc_port,
        }
        with front.serve(hosts, folder, port) as proxy:
            environment = {**os.environ, **proxy.environment}
            # The image of the class holds the package, too.
            image = str(Path(quickdraw.__file__).parents[1])
            machine.environment = {**environment, "PYTHONPATH": image}
            yield Cloud(store, server, service, proxy, environment, checkout)


@pytest.fixture
def here(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    """This process uses the stand-ins, too, and is in the checkout."""
    cloud.front.lead_here(monkeypatch)
    monkeypatch.chdir(cloud.checkout)
    client.client.cache_clear()
    yield cloud
    client.client.cache_clear()
