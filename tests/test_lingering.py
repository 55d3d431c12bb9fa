"""A client that sends all before it reads gets the answer of a server that refuses early."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from quickdraw import lingering

BODY = b"a" * (1 << 20)


class H11Lingering(lingering.LingeringClose, H11Protocol):
    """Without a limit of time for heads."""


async def refusing(scope, receive, send):
    """Answer without a look at the body."""
    assert scope["type"] == "http"
    headers = [(b"content-length", b"3"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": b"no\n"})


@contextlib.contextmanager
def serving(protocol) -> Iterator[int]:
    config = uvicorn.Config(
        *(refusing, "127.0.0.1", 0),
        http=protocol,
        log_level="critical",
        lifespan="off",
        timeout_graceful_shutdown=20,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the server did not start"
        time.sleep(0.01)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(30)
        assert not thread.is_alive()


@pytest.fixture(params=[H11Lingering, lingering.PatientProtocol], ids=["alone", "patient"])
def protocol(request):
    return request.param


@contextlib.contextmanager
def connected(port) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        yield connection


def upload(connection, megabytes, announced=1000):
    head = f"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {announced << 20}\r\n\r\n"
    connection.sendall(head.encode())
    for _ in range(megabytes):
        connection.sendall(BODY)


def everything(connection) -> bytes:
    got = b""
    while part := connection.recv(4096):
        got += part
    return got


def test_who_sends_all_before_they_read_gets_the_answer(protocol):
    with serving(protocol) as port, connected(port) as connection:
        upload(connection, 30, announced=30)
        got = everything(connection)
    assert got.startswith(b"HTTP/1.1 413") and got.endswith(b"no\n")


def test_what_is_no_request_is_told_so_too(protocol):
    with serving(protocol) as port, connected(port) as connection:
        for _ in range(20):
            connection.sendall(b"\x00" * (1 << 20))
        assert everything(connection).startswith(b"HTTP/1.1 400")


def test_a_request_that_is_all_there_is_closed_at_once(protocol):
    with serving(protocol) as port, connected(port) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert everything(connection).endswith(b"no\n")
        # Were it only half closed, this would be taken.
        with pytest.raises(ConnectionError):
            for _ in range(200):
                connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                time.sleep(0.05)


def test_who_never_ends_is_cut_off_after_so_many_bytes(protocol, monkeypatch):
    monkeypatch.setattr(protocol, "_left", 5 << 20)
    with (
        serving(protocol) as port,
        connected(port) as connection,
        pytest.raises(ConnectionError),
    ):
        upload(connection, 1000)


def test_who_falls_silent_is_cut_off_after_a_while(protocol, monkeypatch):
    monkeypatch.setattr(lingering, "_SECONDS", 0.2)
    with serving(protocol) as port, connected(port) as connection:
        upload(connection, 1)
        with contextlib.suppress(ConnectionResetError):
            assert everything(connection).endswith(b"no\n")
        with pytest.raises(ConnectionError):
            for _ in range(200):
                connection.sendall(b"a")
                time.sleep(0.05)


def test_a_server_that_is_told_to_stop_does_not_wait_for_them(protocol):
    with contextlib.ExitStack() as still_open:
        with serving(protocol) as port:
            connection = still_open.enter_context(connected(port))
            upload(connection, 1)
            assert connection.recv(4096).startswith(b"HTTP/1.1 413")
            start = time.monotonic()
        assert time.monotonic() - start < 15  # of the 20 that open requests have
