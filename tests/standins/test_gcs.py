"""The Cloud Storage stand-in does what the real one does, as far as anybody relies on it."""

import json
import urllib.error
import urllib.request

import pytest
from standins import gcs
from standins.gcs_store import Refused, Store


@pytest.fixture
def store():
    store = Store()
    for name in ("a/1", "a/2", "a/b/1", "a/b/2", "a-0", "c"):
        store.put("bucket", name, name.encode())
    return store


def ask(server, path, **headers):
    request = urllib.request.Request(f"{server.url}/storage/v1/b/{path}", headers=headers)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.read(), answer.headers
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read(), error.headers


def test_generations_and_preconditions(store):
    old = store.put("bucket", "x", b"old", ifGenerationMatch=0)
    for condition in ({"ifGenerationMatch": 0}, {"ifGenerationNotMatch": old.generation}):
        with pytest.raises(Refused) as refused:
            store.put("bucket", "x", b"never", **condition)
        assert refused.value.status == 412
    new = store.put("bucket", "x", b"new", ifGenerationMatch=old.generation)
    assert new.generation > old.generation
    with pytest.raises(Refused):
        store.get("bucket", "x", generation=old.generation)
    with pytest.raises(Refused):
        store.delete("bucket", "x", ifGenerationMatch=old.generation)
    store.delete("bucket", "x", ifGenerationMatch=new.generation)
    with pytest.raises(Refused):
        store.get("bucket", "x")


@pytest.mark.parametrize("largest_page", [1, 2, 1000])
@pytest.mark.parametrize(
    ("query", "names", "prefixes"),
    [
        ("", ["a-0", "a/1", "a/2", "a/b/1", "a/b/2", "c"], []),
        ("prefix=a/&", ["a/1", "a/2", "a/b/1", "a/b/2"], []),
        ("delimiter=/&", ["a-0", "c"], ["a/"]),
        ("prefix=a/&delimiter=/&", ["a/1", "a/2"], ["a/b/"]),
        ("prefix=nothing&", [], []),
    ],
)
def test_listings_are_paged(store, query, names, prefixes, largest_page):
    with gcs.serve(store) as server:
        server.largest_page = largest_page
        items, folded, token = [], [], ""
        while True:
            page = json.loads(ask(server, f"bucket/o?{query}pageToken={token}")[1])
            assert len(page["items"]) + len(page["prefixes"]) <= largest_page
            items += [item["name"] for item in page["items"]]
            folded += page["prefixes"]
            if not (token := page.get("nextPageToken")):
                break
    assert (items, folded) == (names, prefixes)


@pytest.mark.parametrize(
    ("asked", "status", "body", "content_range"),
    [
        ("bytes=0-", 206, b"a/b/1", "bytes 0-4/5"),
        ("bytes=2-3", 206, b"b/", "bytes 2-3/5"),
        ("bytes=3-99", 206, b"/1", "bytes 3-4/5"),
        ("bytes=-2", 206, b"/1", "bytes 3-4/5"),
    ],
)
def test_ranges(store, asked, status, body, content_range):
    with gcs.serve(store) as server:
        answer = ask(server, "bucket/o/a%2Fb%2F1?alt=media", Range=asked)
        assert answer[:2] == (status, body) and answer[2]["Content-Range"] == content_range
        assert ask(server, "bucket/o/a%2Fb%2F1?alt=media", Range="bytes=5-")[0] == 416
        whole = ask(server, "bucket/o/a%2Fb%2F1?alt=media")
        assert whole[0] == 200 and "crc32c=" in whole[2]["X-Goog-Hash"]


def test_what_is_not_there_or_not_public(store):
    store.make_bucket("hidden", private=True)
    with gcs.serve(store) as server:
        assert ask(server, "bucket")[0] == 200
        assert ask(server, "nowhere/o")[0] == 404
        assert ask(server, "bucket/o/nothing")[0] == 404
        assert ask(server, "hidden/o")[0] == 401
        assert ask(server, "hidden/o", Authorization="Bearer x")[0] == 200
        assert ask(server, "bucket/o/c?ifGenerationMatch=1")[0] == 412
        server.fail("/o/c", status=503)
        assert [ask(server, "bucket/o/c")[0] for _ in range(2)] == [503, 200]
