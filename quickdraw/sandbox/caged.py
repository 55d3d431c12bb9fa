"""The process in which an untrusted model runs: a script that imports nothing of this package.

It drops its privileges before it reads the model: then it can only compute, read its standard input
and write its standard output. Its first answer names the restrictions that this system does not
support (Linux supports all of them, without root).

A message is its length, four bytes, and its content. In: the model; then for each question a header
in JSON and a message for each input. Out: a description of the model, in JSON; then for each
question a zero byte and the output, float32, or a one byte and the error.
"""

from __future__ import annotations

import ctypes
import json
import os
import platform
import struct
import sys
from typing import Any

_LONGEST = 1 << 30
_ERROR = 2000

# Of Linux, by architecture: AUDIT_ARCH_…, then the system calls that computing needs. All others
# fail: to open a file or a socket, to start a process or a thread, to signal another process.
# Source: arch/x86/entry/syscalls/syscall_64.tbl, include/uapi/asm-generic/unistd.h.
_CALLS = {
    "x86_64": (
        0xC000003E,
        *(0, 1, 3, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 19, 20, 24, 25, 28, 35, 39, 60, 63, 96, 98),
        *(99, 100, 131, 186, 202, 204, 219, 228, 229, 230, 231, 309, 318, 334),
    ),
    "aarch64": (
        0xC00000B7,
        *(57, 62, 63, 64, 65, 66, 73, 80, 93, 94, 98, 101, 113, 114, 115, 123, 124, 128, 132, 134),
        *(135, 139, 153, 160, 165, 168, 169, 172, 178, 179, 214, 215, 216, 222, 226, 233, 278, 293),
    ),
}
_NEW_USER, _NEW_NETWORK = 0x10000000, 0x40000000
_NO_NEW_PRIVILEGES, _SECCOMP, _FILTER = 38, 22, 2


def main(memory: int, cpu_seconds: int) -> None:
    """Read a model, then answer questions until the input ends.

    Args:
        memory: bytes, in addition to Python and onnxruntime.
        cpu_seconds: CPU time in all, after which the system kills the process.
    """
    walls = [*_without_network()]  # before onnxruntime starts threads
    import numpy as np
    import onnxruntime

    out = os.dup(1)
    os.dup2(2, 1)  # libraries that print must not corrupt the protocol
    walls += [*_limited(memory, cpu_seconds), *_filtered()]
    try:
        session = _session(onnxruntime, _read())
    except Exception as error:
        _write(out, json.dumps({"error": _line(error), "walls": walls}).encode())
        return
    _write(out, json.dumps({**_facts(session), "walls": walls}).encode())
    while header := _read():
        try:
            told = json.loads(header)
            arrays = {
                each["name"]: np.frombuffer(_read(), each["dtype"]).reshape(each["shape"])
                for each in told
            }
            (answer,) = session.run(None, arrays)
            _write(out, b"\0" + np.ascontiguousarray(answer, np.float32).tobytes())
        except Exception as error:
            _write(out, b"\1" + _line(error).encode())


def _session(onnxruntime: Any, model: bytes) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def _facts(session: Any) -> dict[str, Any]:
    def each(values: Any) -> list[dict[str, Any]]:
        return [{"name": v.name, "type": v.type, "shape": v.shape} for v in values]

    return {
        "inputs": each(session.get_inputs()),
        "outputs": each(session.get_outputs()),
        "metadata": session.get_modelmeta().custom_metadata_map,
    }


def _line(error: Exception) -> str:
    return (" ".join(str(error).split()) or type(error).__name__)[:_ERROR]


def _read() -> bytes:
    """Read a message; empty at the end of input."""
    head = _exactly(4)
    size = struct.unpack("<I", head)[0] if head else 0
    if size > _LONGEST:
        raise SystemExit(1)
    return _exactly(size)


def _exactly(size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        piece = os.read(0, min(size - len(data), 1 << 20))
        if not piece:
            return b""
        data += piece
    return bytes(data)


def _write(out: int, data: bytes) -> None:
    rest = memoryview(struct.pack("<I", len(data)) + data)
    while rest:
        rest = rest[os.write(out, rest) :]


def _without_network() -> list[str]:
    """Enter an empty network namespace; a user namespace allows it without root."""
    try:
        return ["network"] if not _libc().unshare(_NEW_USER | _NEW_NETWORK) else []
    except (OSError, AttributeError):
        return []


def _limited(memory: int, cpu_seconds: int) -> list[str]:
    try:
        import resource
    except ImportError:  # Windows
        return []
    held = []
    limits = {"CPU": cpu_seconds, "FSIZE": 0, "CORE": 0, "NOFILE": 0, "NPROC": 0}
    if taken := _address_space():
        limits["AS"] = taken + memory
    for name, most in limits.items():
        try:
            which = getattr(resource, f"RLIMIT_{name}")
            resource.setrlimit(which, (most, most))
        except (OSError, ValueError, AttributeError):
            continue
        held += {"AS": ["memory"], "CPU": ["time"], "FSIZE": ["files"]}.get(name, [])
    return held


def _address_space() -> int:
    """Return the size of this process's address space in bytes; 0 if unknown."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return 0


def _filtered() -> list[str]:
    """Allow only the system calls that computing needs, from now on (Linux, seccomp(2))."""
    if sys.platform != "linux" or platform.machine() not in _CALLS:
        return []
    architecture, *allowed = _CALLS[platform.machine()]
    load, equal, give = 0x20, 0x15, 0x06  # BPF_LD|W|ABS, BPF_JMP|JEQ|K, BPF_RET|K
    steps = [
        (load, 0, 0, 4),
        (equal, 1, 0, architecture),
        (give, 0, 0, 0x80000000),
        (load, 0, 0, 0),
    ]
    for place, number in enumerate(allowed):
        steps.append((equal, len(allowed) - place, 0, number))
    steps += [(give, 0, 0, 0x00050000 | 1), (give, 0, 0, 0x7FFF0000)]  # EPERM; allowed
    code = ctypes.create_string_buffer(b"".join(struct.pack("<HBBI", *step) for step in steps))
    program = ctypes.create_string_buffer(struct.pack("@HP", len(steps), ctypes.addressof(code)))
    libc = _libc()
    if libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0):
        return []
    return ["calls"] if not libc.prctl(_SECCOMP, _FILTER, program, 0, 0) else []


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
