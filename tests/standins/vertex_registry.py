"""The Model Registry and the metadata (experiments) of the Vertex AI stand-in.

Resources are kept as messages of the API, by name; bodies are parsed strictly.
"""

from __future__ import annotations

import itertools
import re
from typing import Any

from google.cloud import aiplatform_v1 as v1
from google.longrunning import operations_pb2
from google.protobuf import json_format


class Refused(Exception):
    """An answer other than success; its status as gRPC calls it."""

    def __init__(self, status: str, message: str):
        super().__init__(message)
        self.status = status


class Registry:
    """What is registered.

    Attributes:
        resources: messages by resource name; a model's is its newest version.
        children: pairs of contexts: an experiment and a run in it.
    """

    def __init__(self) -> None:
        self.resources: dict[str, Any] = {}
        self.children: list[tuple[str, str]] = []
        self._numbers = itertools.count(1)

    def get(self, name: str) -> Any:
        if name not in self.resources:
            raise Refused("NOT_FOUND", f"no such resource: {name}")
        return self.resources[name]

    def upload_model(self, request: Any) -> operations_pb2.Operation:
        """Registers a model, or a new version of one."""
        model, version = request.model, 1
        if request.parent_model:
            version = int(self.get(request.parent_model).version_id) + 1
        model.name = request.parent_model or f"{request.parent}/models/{request.model_id}"
        if not model.container_spec.image_uri or not model.artifact_uri.startswith("gs://"):
            raise Refused("INVALID_ARGUMENT", "container_spec.image_uri, artifact_uri")
        if not request.parent_model and model.name in self.resources:
            raise Refused("ALREADY_EXISTS", model.name)
        model.version_id = str(version)
        self.resources[model.name] = model
        return self._done(v1.UploadModelResponse(model=model.name, model_version_id=str(version)))

    def rest(self, method: str, path: str, query: dict[str, str], body: bytes) -> Any:
        """Answers a REST request with a message."""
        name, _, verb = path.removeprefix("/v1/").partition(":")
        if method == "GET":
            return self.get(name)
        if verb == "upload":
            request = _parse(v1.UploadModelRequest, body)
            request.parent = name.removesuffix("/models")
            return self.upload_model(request)
        if verb == "addContextChildren":
            request = _parse(v1.AddContextChildrenRequest, body)
            self.children += [(name, child) for child in request.child_contexts]
            return v1.AddContextChildrenResponse()
        if method == "PATCH":
            context = _parse(v1.Context, body)
            context.name = name
            self.resources[name] = context
            return context
        if name.endswith("/metadataStores"):
            store = _parse(v1.MetadataStore, body)
            store.name = f"{name}/{query['metadataStoreId']}"
            self.resources[store.name] = store
            return self._done(store)
        if name.endswith("/contexts"):
            context = _parse(v1.Context, body)
            context.name = f"{name}/{query['contextId']}"
            assert re.fullmatch("[a-z0-9][a-z0-9-]{0,127}", query["contextId"])
            self.resources[context.name] = context
            return context
        raise Refused("NOT_FOUND", path)

    def _done(self, response: Any) -> operations_pb2.Operation:
        operation = operations_pb2.Operation(done=True, name=f"operations/{next(self._numbers)}")
        operation.response.Pack(type(response).pb(response))
        return operation


def _parse(kind: Any, body: bytes) -> Any:
    message = kind()
    json_format.Parse(body, kind.pb(message), ignore_unknown_fields=False)
    return message
