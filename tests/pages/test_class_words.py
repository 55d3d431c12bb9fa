"""What classes are called in the reader's language: all of them, and no two alike."""

import re

import pytest

from quickdraw.datasets.doodles.draw import CATEGORIES
from quickdraw.pages import class_words, drawing_page

LANGUAGES = ["da", "ko", "pl"]
SPELT = {"ants": "ant", "scissor": "scissors"}  # by the samples, never beside the other
DIGITS = [str(number) for number in range(10)]


def test_every_language_of_the_page_has_words_for_the_same_classes():
    words = class_words.every_word()
    assert list(words) == LANGUAGES == sorted(set(drawing_page.words()) - {"en"})
    assert list(words["da"]) == list(words["ko"]) == list(words["pl"])
    assert len(words["ko"]) == 345 + len(DIGITS) + len(SPELT)


def test_every_category_of_the_data_has_a_word(shared_data):
    names = [path.stem for path in (shared_data / "quickdraw/simplified").glob("*.ndjson")]
    assert len(names) > 300
    for language in LANGUAGES:
        assert {*names, *DIGITS, *SPELT, "zigzag"} == set(class_words.every_word()[language])


def test_every_sample_doodle_has_a_word():
    for language in LANGUAGES:
        for label in CATEGORIES:
            assert class_words.shown(label) in class_words.every_word()[language]


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_two_classes_share_a_word(language):
    words = class_words.every_word()[language]
    assert len({word.casefold() for word in words.values()}) == len(words) - len(SPELT)
    assert all(words[name] == words[other] for name, other in SPELT.items())
    for name, word in words.items():
        assert re.fullmatch(r"[^\s()<>&][^()<>&]*( \([^()<>&]+\))?", word) and word.strip(), name


def test_korean_words_are_korean():
    for name, word in class_words.every_word()["ko"].items():
        assert re.search("[가-힣]", word) and not re.search("[A-Za-z]", word), name


def test_a_class_without_a_word_keeps_its_name():
    assert class_words.named("ko", "hot_dog") == "핫도그"
    assert class_words.named("ko", "pterodactyl_egg") == "pterodactyl egg"
    assert class_words.named("en", "cat") == class_words.named("xx", "cat") == "cat"


def test_an_exported_page_holds_the_words_of_its_classes_alone():
    found = class_words.words_of(["cat", "hot_dog", "constructor", "<b>"])
    assert found["ko"] == {"cat": "고양이", "hot dog": "핫도그"}
    page = drawing_page.html({"models": []}, "in_browser", inline=True, labels=["cat", "hot_dog"])
    assert "고양이" in page and "kot" in page and "개미" not in page
    assert "개미" in drawing_page.html({"models": []}, "by_server", inline=False)
