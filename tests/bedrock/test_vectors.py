"""Vectors as an answer carries them: nothing of float32's precision is lost, and no digit is sent for nothing."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.bedrock.vectors import has_length_one, normalized, shortest, vector

NUMBERS = st.lists(st.floats(width=32, min_value=-(2.0**40), max_value=2.0**40), min_size=1, max_size=40)


@given(NUMBERS)
def test_every_number_reads_back_as_the_same_float32(numbers: list[float]) -> None:
    made = vector(numbers)
    assert np.array_equal(np.asarray(shortest(made), dtype=np.float32), made)


@given(st.lists(st.floats(width=32, min_value=2.0**-30, max_value=2.0**10), min_size=1, max_size=40))
def test_no_number_has_more_digits_than_numpy_would_write(numbers: list[float]) -> None:
    made = vector(numbers)
    assert shortest(made) == [float(str(each)) for each in made]


@given(NUMBERS)
def test_a_normalized_vector_has_length_one_unless_it_is_zero(numbers: list[float]) -> None:
    made = normalized(vector(numbers))
    assert has_length_one(made) or not made.any() or math.hypot(*numbers) < 1e-30


def test_a_vector_of_another_length_is_not_taken_for_a_normalized_one() -> None:
    assert not has_length_one(vector([0.6, 0.9]))


@pytest.mark.parametrize(
    "numbers", [[], [1.0, float("nan")], [float("inf")], [1e300], [[1.0]], ["a"], {"float": [1.0]}, None]
)
def test_what_is_no_list_of_numbers_is_no_vector(numbers: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        vector(numbers)  # type: ignore[arg-type]
