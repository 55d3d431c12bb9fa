"""Numbers of drawings: what a table program made of them is undone, or noticed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quickdraw.drawings import key_ids


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (5829304141217792, "5829304141217792"),
        (" 5829304141217792 ", "5829304141217792"),
        ("5829304141217792.0", "5829304141217792"),
        ("5.829304141217792E+15", "5829304141217792"),
        ("5.8293041412177920e+15", "5829304141217792"),
        ("5829304141217792,00", "5829304141217792"),  # Excel's in half of the world
        ("5,829304141217792E+15", "5829304141217792"),
        ("5.829.304.141.217.792", "5829304141217792"),
        ("5,829,304,141,217,792", "5829304141217792"),
        ("5\u202f829\u202f304\u202f141\u202f217\u202f792", "5829304141217792"),
        ("12-345-678", "12-345-678"),
        ("1.234.56", "1.234.56"),
        ("1e5", "1e5"),  # a hexadecimal id
        ("123e4567e89b12d3", "123e4567e89b12d3"),
        ("cake-7", "cake-7"),
        ("nan", ""),
        ("", ""),
        (None, ""),
    ],
)
def test_what_is_exact_is_repaired(value, expected):
    assert key_ids.exact(value) == expected


@pytest.mark.parametrize(
    "value", ["5.83E+15", "5,83E+15", "5.83e15", "5.8293041412177e+15", "9007199254740993.0"]
)
def test_what_has_lost_digits_is_noticed(value):
    with pytest.raises(ValueError, match=r"5|9"):
        key_ids.exact(value)


@given(st.integers(10**15, 1 << 53))
def test_what_pandas_writes_is_the_number_or_an_error(number):
    assert key_ids.exact(repr(float(number))) == str(number)
    assert key_ids.exact(str(number)) == str(number)
    for digits in range(17):
        text = f"{number:.{digits}E}"
        try:
            assert key_ids.exact(text) == str(number)
        except ValueError:
            assert digits < 15


def test_numbers_differ():
    ids = ["", "1", "12", "12a", "cat", "123e4567e89b12d3", str(1 << 63), str(1 << 70)]
    numbers = [key_ids.number_of(each) for each in ids]
    assert len(set(numbers)) == len(ids)
    assert all(0 <= number < 1 << 64 for number in numbers)
    assert numbers[:3] == [0, 1, 12]


def test_a_zero_is_an_id_and_zeros_before_make_another():
    ids = ["", "0", "00", "7", "007", "٣", "3"]
    assert len({key_ids.number_of(each) for each in ids}) == len(ids)
    assert key_ids.number_of("0")
