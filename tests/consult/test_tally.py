"""Many calls alike as a few rows of a receipt."""

from __future__ import annotations

from gateway.consult.receipt import Attempt
from gateway.consult.tally import summed


def test_calls_of_one_outcome_are_one_row_and_those_cut_off_stand_last() -> None:
    made = [Attempt("m", outcome, 0.5) for outcome in ("Cancelled", "ok", "ThrottlingException", "ok", "Cancelled")]
    assert summed([*made, Attempt("n", "ok", 1.0)]) == [
        Attempt("m", "ok", 1.0, 2),
        Attempt("m", "ThrottlingException", 0.5),
        Attempt("n", "ok", 1.0),
        Attempt("m", "Cancelled", 1.0, 2),
    ]
