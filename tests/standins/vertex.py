"""A stand-in for Vertex AI on 127.0.0.1, over REST and gRPC, that really runs jobs.

    with vertex.serve(Machine(folder, environment)) as service:
        service.rest_port, service.grpc_port

Requests are parsed strictly, with the API's own messages: an unknown key or enum is refused.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import itertools
import json
import re
import subprocess
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import grpc
from google.cloud import aiplatform_v1 as v1
from google.longrunning import operations_pb2
from google.protobuf import empty_pb2, json_format
from google.rpc import status_pb2
from standins.vertex_jobs import Machine, Run, measurement, parameters
from standins.vertex_registry import Refused, Registry

_KINDS = {"customJobs": v1.CustomJob, "hyperparameterTuningJobs": v1.HyperparameterTuningJob}


class Service:
    """The jobs of all projects.

    Attributes:
        jobs: by resource name.
        runs: what runs them; several for a tuning job.
        registry: models and experiments.
        deny: refuse all that comes.
    """

    def __init__(self, machine: Machine):
        self._machine = machine
        self.jobs: dict[str, Any] = {}
        self.runs: dict[str, list[Run]] = {}
        self.registry = Registry()
        self.deny = False
        self._numbers = itertools.count(1000)
        self._threads: list[threading.Thread] = []
        self.rest_port = self.grpc_port = 0

    def create(self, parent: str, kind: str, job: Any) -> Any:
        """Starts a job."""
        self.admit()
        tuning = kind == "hyperparameterTuningJobs"
        spec = job.trial_job_spec if tuning else job.job_spec
        if not job.display_name or not spec.worker_pool_specs:
            raise Refused("INVALID_ARGUMENT", "display_name and worker_pool_specs are required")
        job.name = f"{parent}/{kind}/{next(self._numbers)}"
        job.state, job.create_time = v1.JobState.JOB_STATE_QUEUED, datetime.now(UTC)
        self.jobs[job.name], self.runs[job.name] = job, []
        thread = threading.Thread(target=self._tune if tuning else self._run, args=(job,))
        self._threads.append(thread)
        thread.start()
        return job

    def get(self, name: str) -> Any:
        """A job by its resource name."""
        self.admit()
        if name not in self.jobs:
            raise Refused("NOT_FOUND", f"no such job: {name}")
        return self.jobs[name]

    def list(self, parent: str, kind: str, wanted: str) -> list[Any]:
        """The jobs of this kind with the label that the filter `labels.x=y` names."""
        self.admit()
        key, _, value = wanted.removeprefix("labels.").partition("=")
        of_kind = (job for name, job in self.jobs.items() if name.startswith(f"{parent}/{kind}/"))
        return [job for job in of_kind if not wanted or job.labels.get(key) == value]

    def cancel(self, name: str) -> None:
        """Ends a job."""
        self.get(name)
        for run in self.runs[name]:
            run.cancelled.set()

    def close(self) -> None:
        """Ends all jobs."""
        for name in self.jobs:
            self.cancel(name)
        for thread in self._threads:
            thread.join()

    def admit(self) -> None:
        if self.deny:
            raise Refused("PERMISSION_DENIED", "Permission 'aiplatform.customJobs.*' denied")

    def _run(self, job: Any) -> None:
        output = job.job_spec.base_output_directory.output_uri_prefix
        run = Run(job.name, job.job_spec, self._machine, output)
        self.runs[job.name].append(run)
        job.state = v1.JobState.JOB_STATE_RUNNING
        try:
            self._end(job, run.run())
        except subprocess.CalledProcessError as error:
            self._end(job, f"the package cannot be installed: {error.stderr.decode()[-500:]}")

    def _tune(self, job: Any) -> None:
        job.state, wrong = v1.JobState.JOB_STATE_RUNNING, ""
        spec = job.trial_job_spec
        for number in range(1, job.max_trial_count + 1):
            chosen = parameters(job.study_spec, number - 1)
            metrics = self._machine.folder / f"trial-{job.name.rpartition('/')[2]}-{number}"
            environment = {
                "CLOUD_ML_TRIAL_ID": str(number),
                "CLOUD_ML_HP_METRIC_FILE": str(metrics),
            }
            output = f"{spec.base_output_directory.output_uri_prefix}/{number}"
            arguments = [f"--{name}={value}" for name, value in chosen]
            run = Run(job.name, spec, self._machine, output, arguments, environment)
            self.runs[job.name].append(run)
            if wrong := run.run():
                break
            job.trials.append(v1.Trial(id=str(number), final_measurement=measurement(metrics)))
        self._end(job, wrong)

    def _end(self, job: Any, wrong: str) -> None:
        if wrong:
            job.error = status_pb2.Status(code=3, message=wrong)
        end = {"": "SUCCEEDED", "cancelled": "CANCELLED"}.get(wrong, "FAILED")
        job.state = v1.JobState[f"JOB_STATE_{end}"]


@contextlib.contextmanager
def serve(machine: Machine) -> Iterator[Service]:
    """Serves in threads of its own, until then all jobs are ended."""
    service = Service(machine)
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(4))
    for name, methods in _grpc_methods(service).items():
        handler = grpc.method_handlers_generic_handler(
            f"google.cloud.aiplatform.v1.{name}", methods
        )
        server.add_generic_rpc_handlers((handler,))
    service.grpc_port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with ThreadingHTTPServer(("127.0.0.1", 0), _rest_handler(service)) as rest:
        rest.daemon_threads = True
        service.rest_port = rest.server_address[1]
        thread = threading.Thread(target=rest.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield service
        finally:
            rest.shutdown()
            thread.join()
            service.close()
            server.stop(0).wait()


def _grpc_methods(service: Service) -> dict[str, dict[str, grpc.RpcMethodHandler]]:
    def method(work: Callable, request: Any, answer: Any) -> grpc.RpcMethodHandler:
        def call(message: Any, context: grpc.ServicerContext) -> Any:
            try:
                return work(message)
            except Refused as refused:
                context.abort(grpc.StatusCode[refused.status], str(refused))

        serialize = getattr(answer, "serialize", None) or answer.SerializeToString
        return grpc.unary_unary_rpc_method_handler(call, request.deserialize, serialize)

    def cancel(message: Any) -> empty_pb2.Empty:
        service.cancel(message.name)
        return empty_pb2.Empty()

    methods = {}
    for kind, message in _KINDS.items():
        name = message.__name__
        field = re.sub("(?<!^)([A-Z])", r"_\1", name).lower()
        many = getattr(v1, f"List{name}sResponse")

        def create(m: Any, kind: str = kind, field: str = field) -> Any:
            return service.create(m.parent, kind, getattr(m, field))

        def find(m: Any, kind: str = kind, field: str = field, many: Any = many) -> Any:
            return many(**{f"{field}s": service.list(m.parent, kind, m.filter)})

        requests = {
            verb: getattr(v1, f"{verb}{name}Request") for verb in ("Create", "Get", "Cancel")
        }
        methods[f"Create{name}"] = method(create, requests["Create"], message)
        methods[f"Get{name}"] = method(lambda m: service.get(m.name), requests["Get"], message)
        methods[f"Cancel{name}"] = method(cancel, requests["Cancel"], empty_pb2.Empty)
        methods[f"List{name}s"] = method(find, getattr(v1, f"List{name}sRequest"), many)
    registry = service.registry
    of_models = {
        "GetModel": method(lambda m: registry.get(m.name), v1.GetModelRequest, v1.Model),
        "UploadModel": method(
            registry.upload_model, v1.UploadModelRequest, operations_pb2.Operation
        ),
    }
    return {"JobService": methods, "ModelService": of_models}


def _rest_handler(service: Service) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def log_message(self, *_: Any) -> None:
            """Quiet."""

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            try:
                self._answer(200, _rest(service, self.command, self.path, body))
            except (Refused, json_format.ParseError) as error:
                status = getattr(error, "status", "INVALID_ARGUMENT")
                code = {"NOT_FOUND": 404, "PERMISSION_DENIED": 403}.get(status, 400)
                told = {"code": code, "status": status, "message": str(error)}
                self._answer(code, {"error": told})

        do_POST = do_PATCH = do_GET

        def _answer(self, status: int, value: dict[str, Any]) -> None:
            body = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return Handler


def _rest(service: Service, method: str, path: str, body: bytes) -> dict[str, Any]:
    url = urlsplit(path)
    match = re.fullmatch(
        r"/v1/((projects/[^/]+/locations/[^/]+)/(\w+)(?:/[^/:]+)?)(:cancel)?", url.path
    )
    if match is None or match[3] not in _KINDS:
        service.admit()
        query = {key: values[-1] for key, values in parse_qs(url.query).items()}
        return _as_json(service.registry.rest(method, url.path, query, body))
    name, parent, kind, cancel = match.groups()
    if cancel:
        service.cancel(name)
        return {}
    if method == "POST":
        job = _KINDS[kind]()
        json_format.Parse(body, type(job).pb(job), ignore_unknown_fields=False)
        return _as_json(service.create(parent, kind, job))
    if name.endswith(kind):
        wanted = re.search(r"filter=labels\.(\w+)%3D(\w+)", url.query)
        text = f"labels.{wanted[1]}={wanted[2]}" if wanted else ""
        return {kind: [_as_json(job) for job in service.list(parent, kind, text)]}
    return _as_json(service.get(name))


def _as_json(message: Any) -> dict[str, Any]:
    pb = getattr(type(message), "pb", lambda same: same)
    return json_format.MessageToDict(pb(message))
