"""One name has one form, and two that look alike are found."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quickdraw.records.class_names import alike, clean, is_missing, look_alikes


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (unicodedata.normalize("NFD", "고양이"), "고양이"),
        (unicodedata.normalize("NFD", "café"), "café"),
        ("  hot \u00a0dog\t", "hot dog"),
        ("\ufeffc\u200bat", "cat"),
        ("The Mona Lisa", "The Mona Lisa"),
        ("a\nb", "a\nb"),
    ],
)
def test_one_form(written, meant):
    assert clean(written) == meant


@given(st.text(max_size=20))
def test_a_form_has_itself_as_its_form(name):
    assert clean(clean(name)) == clean(name)


def test_missing_values():
    assert all(map(is_missing, ["", " ", "nan", "NaN", "None", "null", "<NA>"]))
    assert not any(map(is_missing, ["na", "no", "0", "banana"]))  # na is a letter of KMNIST


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("cat", "cats"),
        ("bus", "buses"),
        ("traffic light", "traffic-light"),
        ("traffic light", "trafficlight"),
        ("cat", "ｃａｔ"),
        ("cat", "cat copy"),
        ("고양이", "고양이 - 복사본"),
        ("3", "3.0"),
        ("t-shirt", "T-Shirt"),
    ],
)
def test_names_that_look_alike(one, other):
    assert look_alikes(["sun", one, other]) == [(one, other)]
    assert look_alikes([other, one]) == [(other, one)]


def test_names_that_do_not():
    letters = [chr(code) for code in range(ord("a"), ord("z") + 1)] + ["as"]
    assert look_alikes([*letters, "level 1", "level 2", "bird", "bear", "hot dog", "dog"]) == []
    assert alike("Hot_Dog") == alike("hot dog")
