"""Behind proxies: the address that the last of ours saw counts, not what the client sends."""

import boarding
import pytest

from quickdraw.leaderboard.site.context import Limits
from quickdraw.leaderboard.site.forwarding import forwarded

FORGED = "10.9.9.9"


def scope(*lines, proto=None):
    headers = [(b"x-forwarded-for", line.encode()) for line in lines]
    headers += [(b"x-forwarded-proto", proto.encode())] if proto else []
    return {"client": ("127.0.0.1", 5), "scheme": "http", "headers": headers}


@pytest.mark.parametrize(
    ("proxies", "lines", "address"),
    [
        (0, [f"{FORGED}, 1.1.1.1"], "127.0.0.1"),
        (1, [f"{FORGED}, 1.1.1.1"], "1.1.1.1"),
        (1, [FORGED, "1.1.1.1"], "1.1.1.1"),
        (2, [f"{FORGED}, 1.1.1.1, 2.2.2.2"], "1.1.1.1"),
        (1, ["2001:db8::1"], "2001:db8::1"),
        (1, [], "127.0.0.1"),
        (2, ["1.1.1.1"], "127.0.0.1"),
        (1, [" , ,"], "127.0.0.1"),
    ],
)
def test_the_address_is_the_one_that_our_first_proxy_saw(proxies, lines, address):
    assert forwarded(scope(*lines), proxies)["client"][0] == address


def test_the_scheme_is_the_proxys():
    assert forwarded(scope(proto="https"), 1)["scheme"] == "https"
    assert forwarded(scope(proto="https"), 0)["scheme"] == "http"
    assert forwarded(scope(proto="javascript"), 1)["scheme"] == "http"


def test_a_forged_address_does_not_lift_a_limit(sqlite):
    boarding.make_competition(sqlite)
    with boarding.serve(sqlite, Limits(proxies=1)) as board:
        found = [
            board.browser()
            .ask(
                "POST",
                "/api/submissions",
                b"",
                {
                    "Authorization": "Bearer qd_x",
                    "X-Forwarded-For": f"10.0.0.{number}, 9.9.9.9",
                },
            )
            .status
            for number in range(25)
        ]
        other = {"Authorization": "Bearer qd_x", "X-Forwarded-For": "9.9.9.8"}
        assert board.browser().ask("POST", "/api/submissions", b"", other).status == 401
    assert found[0] == 401 and found[-1] == 429
