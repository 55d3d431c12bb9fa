"""The processes that train together, as the variable TF_CONFIG names them.

Source: TensorFlow guide "Multi-worker training with Keras" (TF_CONFIG).
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import re
import socket
import time

from quickdraw.console import log
from quickdraw.errors import QuickdrawError

_TRAIN = ("chief", "worker")
_FIRST_WAIT, _WAIT, _LONGEST_WAIT = 5.0, 0.5, 300.0


@dataclasses.dataclass(frozen=True)
class Cluster:
    """Several processes.

    Attributes:
        names: of the processes, such as "worker 1"; the first is the chief.
        addresses: `host:port` of each.
        index: which of them this is.
    """

    names: list[str]
    addresses: list[str]
    index: int

    def wait_for_all(self) -> None:
        """Wait until every other process is there, and say for whom.

        TensorFlow waits, too, but says nothing, and then neither Ctrl-C nor SIGTERM ends it.

        Raises:
            QuickdrawError: another program has the port of this process.
        """
        port = int(self.addresses[self.index].rpartition(":")[2])
        try:
            # The others see that this process is there before TensorFlow listens here in its turn.
            listening = socket.create_server(("", port), backlog=len(self.names))
        except OSError as error:
            raise QuickdrawError(
                f"TF_CONFIG: {self.names[self.index]} is to listen on port {port} of this machine "
                f"({error.strerror}): end the program that does already, or choose another port"
            ) from None
        missing = set(range(len(self.names))) - {self.index}
        start = time.monotonic()
        told = _FIRST_WAIT
        with listening:
            while missing := {one for one in missing if not _answers(self.addresses[one])}:
                if time.monotonic() - start > told:
                    told = min(2 * told, told + _LONGEST_WAIT)
                    who = [f"{self.names[one]} ({self.addresses[one]})" for one in sorted(missing)]
                    log(f"waiting for {', '.join(who)}: not started yet? (Ctrl-C ends this)")
                time.sleep(_WAIT)


def _answers(address: str) -> bool:
    host, _, port = address.rpartition(":")
    with contextlib.suppress(OSError):
        socket.create_connection((host.strip("[]"), int(port)), timeout=2).close()
        return True
    return False


def find() -> Cluster | None:
    """Return what TF_CONFIG names; None where there is none, or one process alone.

    Raises:
        QuickdrawError: it cannot be understood, or this process is none that trains.
    """
    text = os.environ.get("TF_CONFIG") or "{}"
    try:
        content = json.loads(text)
        tasks, task = content.get("cluster") or {}, content.get("task") or {}
        addresses = [address for kind in _TRAIN for address in tasks.get(kind) or []]
        names = [f"{kind} {n}" for kind in _TRAIN for n, _ in enumerate(tasks.get(kind) or [])]
        kind, number = (task["type"], int(task["index"])) if tasks else ("chief", 0)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _not_understood(f"{type(error).__name__}: {error}", text) from None
    if kind not in _TRAIN:
        raise QuickdrawError(
            f"TF_CONFIG: this is {kind} {number}, and only chief and worker train here: do not "
            "start others. There are no parameter servers; python -m quickdraw.eval follows a "
            "training"
        )
    if names and f"{kind} {number}" not in names:
        raise _not_understood(f"no {kind} {number} among {', '.join(names)}", text)
    if len(names) < 2:
        return None
    _check(addresses, text)
    return Cluster(names, addresses, names.index(f"{kind} {number}"))


def _check(addresses: list[object], text: str) -> None:
    for address in addresses:
        if not isinstance(address, str) or not re.fullmatch(r"\S+:\d{1,5}", address):
            raise _not_understood(f"host:port expected, not {address!r}", text)
        if addresses.count(address) > 1:
            raise _not_understood(f"{address} is there twice", text)


def _not_understood(why: str, text: str) -> QuickdrawError:
    return QuickdrawError(f"TF_CONFIG cannot be understood ({why}). Received: {text[:300]}")
