"""The objects of the Cloud Storage stand-in: buckets in memory, generations, pages."""

from __future__ import annotations

import base64
import dataclasses
import datetime
import hashlib
import itertools
import re
import struct
import threading
from typing import Any

import google_crc32c


class Refused(Exception):
    """An answer other than success: its HTTP status and what it says."""

    def __init__(self, status: int, message: str):
        super().__init__(message)
        self.status = status


@dataclasses.dataclass(frozen=True)
class Object:
    """One generation of an object."""

    bucket: str
    name: str
    data: bytes
    generation: int
    updated: str
    content_type: str = "application/octet-stream"
    metageneration: int = 1

    @property
    def crc32c(self) -> str:
        return base64.b64encode(struct.pack(">I", google_crc32c.value(self.data))).decode()

    @property
    def md5(self) -> str:
        return base64.b64encode(hashlib.md5(self.data).digest()).decode()

    def resource(self) -> dict[str, Any]:
        """Its metadata as the JSON API shows them; 64-bit numbers are strings there."""
        return {
            "kind": "storage#object",
            "id": f"{self.bucket}/{self.name}/{self.generation}",
            "bucket": self.bucket,
            "name": self.name,
            "generation": str(self.generation),
            "metageneration": str(self.metageneration),
            "contentType": self.content_type,
            "size": str(len(self.data)),
            "crc32c": self.crc32c,
            "md5Hash": self.md5,
            "updated": self.updated,
            "etag": self.md5,
        }


class Store:
    """Buckets of objects; every write is a new generation. Safe to use from several threads.

    Attributes:
        forbidden: buckets that the caller's account may not use.
        locations: where buckets lie that are not in US-CENTRAL1.
    """

    def __init__(self) -> None:
        self._buckets: dict[str, dict[str, Object]] = {}
        self._private: set[str] = set()
        self.forbidden: set[str] = set()
        self.locations: dict[str, str] = {}
        self._generations = itertools.count(1_700_000_000_000_000)
        self._lock = threading.RLock()

    def make_bucket(self, name: str, private: bool = False) -> None:
        """Makes a bucket; a private one refuses callers without a token."""
        with self._lock:
            self._buckets.setdefault(name, {})
            if private:
                self._private.add(name)

    def is_private(self, bucket: str) -> bool:
        return bucket in self._private

    def put(self, bucket: str, name: str, data: bytes, **conditions: int) -> Object:
        """Writes an object, on the conditions that `check` knows; makes the bucket."""
        with self._lock:
            self.make_bucket(bucket)
            check(self._buckets[bucket].get(name), conditions, writing=True)
            now = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")
            made = Object(bucket, name, data, next(self._generations), f"{now[:-6]}Z")
            self._buckets[bucket][name] = made
            return made

    def get(self, bucket: str, name: str, **conditions: int) -> Object:
        """The live generation of an object, or the one that `generation` asks for."""
        with self._lock:
            found = self.objects(bucket).get(name)
            if found is None or conditions.pop("generation", found.generation) != found.generation:
                raise Refused(404, f"No such object: {bucket}/{name}")
            check(found, conditions)
            return found

    def delete(self, bucket: str, name: str, **conditions: int) -> None:
        """Deletes an object, on the same conditions as `get`."""
        with self._lock:
            self.get(bucket, name, **conditions)
            del self._buckets[bucket][name]

    def objects(self, bucket: str) -> dict[str, Object]:
        if bucket not in self._buckets:
            raise Refused(404, "The specified bucket does not exist.")
        return self._buckets[bucket]

    def bucket_resource(self, name: str) -> dict[str, Any]:
        """The metadata of a bucket."""
        self.objects(name)
        location = self.locations.get(name, "US-CENTRAL1")
        return {
            "kind": "storage#bucket",
            "name": name,
            "location": location,
            "locationType": "region" if "-" in location else "multi-region",
        }

    def list(
        self, bucket: str, prefix: str = "", delimiter: str = "", after: str = "", limit: int = 1000
    ) -> tuple[list[Object], list[str], str]:
        """One page: objects, prefixes (what the delimiter folds together), where to go on."""
        with self._lock:
            objects = self.objects(bucket).copy()
        entries: dict[str, Object | None] = {}
        for name in sorted(objects):
            if name.startswith(prefix):
                inside, folded, _ = name.removeprefix(prefix).partition(delimiter or "\0")
                entries[prefix + inside + folded] = None if folded else objects[name]
        rest = [name for name in entries if name > after]
        page = rest[:limit]
        return (
            [found for name in page if (found := entries[name])],
            [name for name in page if entries[name] is None],
            page[-1] if len(rest) > limit else "",
        )


def check(found: Object | None, conditions: dict[str, int], writing: bool = False) -> None:
    """Raises Refused unless ifGenerationMatch and its kind hold; generation 0 is "not there"."""
    facts = {
        "Generation": found.generation if found else 0,
        "Metageneration": found.metageneration if found else 0,
    }
    for condition, wanted in conditions.items():
        match = re.fullmatch(r"if(Generation|Metageneration)(Not)?Match", condition)
        if match is None:
            raise Refused(400, f"Unknown condition: {condition}")
        if (facts[match[1]] == wanted) is (match[2] is not None):
            status = 304 if match[2] and not writing else 412
            raise Refused(status, "At least one of the pre-conditions you specified did not hold.")
