"""Hostile files: refused line by line, bombs before they go off, names and words harmless."""

import gzip
import io
import re
import time
import zipfile

import pytest
from boarding import answers, multipart

pytestmark = pytest.mark.usefixtures("goes_on")

EVIL = "<script>alert(1)</script>"


QUOTED = "\"'><img src=x onerror=alert(1)>"


FAULTY = {
    "empty": b"",
    "only a header": b"image_id,label\n",
    "another header": b"id,class\na,1\n",
    "negative": b"image_id,label\nid000,-1\n",
    "NaN": b"image_id,label\nid000,nan\n",
    "infinity": b"image_id,label\nid000,inf\n",
    "a float": b"image_id,label\nid000,1.0\n",
    "exponent": b"image_id,label\nid000,1e0\n",
    "hexadecimal": b"image_id,label\nid000,0x1\n",
    "a huge number": b"image_id,label\nid000," + b"9" * 5000 + b"\n",
    "digits of another script": "image_id,label\nid000,９\n".encode(),
    "superscript": "image_id,label\nid000,²\n".encode(),
    "SQL as an id": b'image_id,label\n"\'; DROP TABLE teams; --",1\n',
    "SQL as a label": b"image_id,label\nid000,1; DROP TABLE teams\n",
    "HTML as an id": f"image_id,label\n{EVIL},1\n".encode(),
    "a formula as a label": b"image_id,label\nid000,=1+1\n",
    "NUL": b"image_id,label\nid\x00000,1\n",
    "not UTF-8": b"image_id,label\n\xff\xfe\xfd,1\n",
    "UTF-16": "image_id,label\nid000,1\n".encode("utf-16"),
    "a quote that never ends": b'image_id,label\n"' + b"a,0\n" * 100_000,
    "a line that never ends": b"image_id,label\n" + b"a" * 900_000,
    "a thousand columns": b"image_id,label\n" + b"a," * 1000 + b"\n",
    "a line of a million commas": b"image_id,label\n" + b"," * 900_000,
    "doubled ids": b"image_id,label\n" + b"id000,0\n" * 50_000,
    "unknown ids": b"image_id,label\n" + b"x,0\n" * 200_000,
    "another team's words": b"key_id,word\nid000,cat dog sun cat\n",
    "an unknown word": b"key_id,word\nid000,zebra\n",
    "a pickle": b"\x80\x04\x95cos\nsystem\n(S'id'\ntR.",
    "an ELF file": b"\x7fELF" + b"\x00" * 1000,
    "a PNG": b"\x89PNG\r\n\x1a\n" + b"\x00" * 1000,
    "JSON": b'{"id000": 1}',
    "a bidirectional override": "image_id,label\n\u202eid000,1\n".encode(),
}


@pytest.mark.parametrize("data", FAULTY.values(), ids=FAULTY)
def test_a_faulty_file_is_refused_in_a_few_short_lines(place, data):
    _, token = place.rabbits
    start = time.monotonic()
    answer = place.browser().submit(token, data)
    assert answer.status == 422, answer.text[:500]
    assert answer.json["status"] == "refused" and answer.json["score"] is None
    assert len(answer.json["error"]) < 6000
    assert "Traceback" not in answer.text
    assert time.monotonic() - start < 5
    browser, _ = place.rabbits
    page = browser.get(f"/entries/{answer.json['number']}")
    assert page.status == 200 and EVIL not in page.text


def zip_of(files, method=zipfile.ZIP_DEFLATED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return file.getvalue()


def encrypted():
    data = bytearray(zip_of({"p.csv": answers()}))
    for mark in (b"PK\x03\x04", b"PK\x01\x02"):
        at = data.index(mark) + (6 if mark[2] == 3 else 8)
        data[at] |= 1
    return bytes(data)


BOMBS = {
    "gz bomb": gzip.compress(b"\x00" * 300_000_000, 9)[: 1 << 20],
    "gz in gz": gzip.compress(gzip.compress(answers())),
    "gz that is cut off": gzip.compress(answers())[:-20],
    "gz with a wrong checksum": gzip.compress(answers())[:-8] + b"\x00" * 8,
    "gz of nothing": gzip.compress(b""),
    "zip bomb": zip_of({"p.csv": b"\x00" * 50_000_000}),
    "zip of two": zip_of({"a.csv": answers(), "b.csv": answers()}),
    "zip of none": zip_of({"folder/": b""}),
    "zip of 20,000 names": zip_of({f"{n}": b"" for n in range(8000)}),
    "zip in zip": zip_of({"p.csv": zip_of({"p.csv": answers()})}),
    "zip with a path": zip_of({"../../../../etc/cron.d/x": b"image_id,label\n"}),
    "zip with an absolute path": zip_of({"/etc/passwd": b"image_id,label\n"}),
    "encrypted zip": encrypted(),
    "zip with another method": zip_of({"p.csv": answers()}, zipfile.ZIP_LZMA),
    "zip that is cut off": zip_of({"p.csv": answers()})[:-30],
    "zip without a list": b"PK\x03\x04" + b"\x00" * 5000,
}


@pytest.mark.parametrize("data", BOMBS.values(), ids=BOMBS)
def test_a_bomb_is_refused_before_it_goes_off(place, data):
    _, token = place.rabbits
    start = time.monotonic()
    answer = place.browser().submit(token, data)
    assert answer.status in (400, 422), answer.text
    assert len(answer.text) < 8000 and "Traceback" not in answer.text
    assert time.monotonic() - start < 5


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "/etc/passwd", "a\\b", EVIL, "nul.con", "x" * 5000]
)
def test_the_name_of_an_upload_is_not_used(place, name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    browser, _ = place.rabbits
    fields = {"csrf": browser.csrf(), "key": name[:50], "file": answers(7)}
    body, kind = multipart(fields, file_name=name)
    answer = browser.ask("POST", "/entries", body, {"Content-Type": kind})
    if len(name) > 1000:  # a head of a part that long is none
        assert answer.status == 400
        return
    assert answer.status == 303
    page = browser.get(answer.headers["location"]).text
    assert name not in page and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "text", [EVIL, QUOTED, "{{ 7 * 7 }}", "{% include 'x' %}", "</td></table>", "=cmd()"]
)
def test_what_teams_write_is_text(place, text):
    name = f"{text[:30]} {abs(hash(text)) % 997}"
    browser, token = place.team(name)
    number = browser.submit(token, answers(5), message=text).json["number"]
    organiser = place.enter(None)
    place.context.forget()
    team = re.findall(r'/organiser/teams/(\d+)"', organiser.get("/organiser").text)
    pages = [browser.get("/board"), browser.get("/entries"), browser.get(f"/entries/{number}")]
    pages += [organiser.get("/organiser"), organiser.get("/organiser/log")]
    pages += [organiser.get(f"/organiser/teams/{each}") for each in team]
    for page in pages:
        assert page.status == 200
        assert "<script>alert" not in page.text and "<img src=x" not in page.text
        assert " 49 " not in page.text.replace(name, "")


def test_a_message_of_a_megabyte_is_refused_or_cut(place):
    browser, token = place.rabbits
    assert browser.submit(token, answers(), message="x" * 5000).status == 422
    fields = {"csrf": browser.csrf(), "key": "long", "message": "y" * 100_000, "file": answers(16)}
    page = browser.post("/entries", **fields)
    assert page.status == 200 and page.text.count("y" * 500) == 1 and "y" * 501 not in page.text


def test_the_clients_board_prints_no_control_sequences(place, capsys):
    from quickdraw.leaderboard.commands import show_board

    row = {"rank": 1, "team": "\x1b[2Jx", "score": 0.5, "entries": 1, "last": "", "moved": None}
    assert "\x1b" not in show_board._line({**row, "baseline": False})
