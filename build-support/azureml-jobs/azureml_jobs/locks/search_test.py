"""What is held is let go only as far as pip says, and held again when it did not have to move."""

from __future__ import annotations

from collections.abc import Iterable

from azureml_jobs.locks.lock import Lock, Pin
from azureml_jobs.locks.search import Search
from azureml_jobs.locks.testing import CONFLICT, NO_NAME, OFFLINE, lock_text, package, pex_said

NUMPY, PANDAS, URLLIB, SIX = (
    Pin("numpy", "2.4"),
    Pin("pandas", "3.1"),
    Pin("urllib3", "2.2.3"),
    Pin("six", "1.17"),
)
HELD = (NUMPY, PANDAS, URLLIB, SIX)


def lock(pins: Iterable[Pin]) -> Lock:
    return Lock(lock_text([package(pin.name, pin.version) for pin in pins]))


def conflict(*causes: str) -> str:
    return pex_said("The conflict is caused by:", *(f"    {cause}" for cause in causes), " ")


def test_all_is_held_as_long_as_pip_can() -> None:
    step = Search(HELD).after_success(lock(HELD))
    assert (step.pins, step.failure, step.held) == (None, "", HELD)
    assert step.found is not None


def test_only_what_is_in_the_way_is_let_go() -> None:
    step = Search(HELD).after_failure(CONFLICT)
    assert step.pins == (NUMPY, PANDAS, SIX)
    # It alone was in the way: there is nothing to try once more.
    moved = lock([NUMPY, PANDAS, SIX, Pin("urllib3", "1.26")])
    assert step.after_success(moved).pins is None


def test_then_what_asks_for_the_other_version_is_let_go_too() -> None:
    step = Search(HELD).after_failure(
        conflict("new 1.0 depends on numpy<2", "The user requested (constraint) numpy==2.4")
    )
    step = step.after_failure(
        conflict("pandas 3.1 depends on numpy>=2.3", "new 1.0 depends on numpy<2")
    )
    assert step.pins == (URLLIB, SIX)


def two_let_go() -> Search:
    return Search(HELD).after_failure(
        conflict(
            "new 1.0 depends on numpy<2",
            "The user requested (constraint) numpy==2.4",
            "The user requested (constraint) six==1.17",
        )
    )


def test_of_several_that_moved_each_is_tried_once_more() -> None:
    step = two_let_go()
    assert step.pins == (PANDAS, URLLIB)
    old, six = Pin("numpy", "1.26"), Pin("six", "1.18")
    step = step.after_success(lock([old, PANDAS, URLLIB, six]))
    assert step.pins == (PANDAS, URLLIB, NUMPY)
    step = step.after_failure(CONFLICT)
    assert step.pins == (PANDAS, URLLIB, SIX)
    best = lock([old, PANDAS, URLLIB, SIX])
    step = step.after_success(best)
    assert step.pins is None
    assert step.found is best
    assert step.held == (PANDAS, URLLIB, SIX)


def test_what_stayed_or_went_by_itself_is_not_tried_again() -> None:
    step = two_let_go().after_success(lock([PANDAS, URLLIB, SIX]))
    assert step.pins is None


def test_where_pip_names_nothing_that_is_held_nothing_is_held() -> None:
    step = Search(HELD).after_failure(pex_said("ERROR: something else"))
    assert step.pins == ()
    failed = step.after_failure(pex_said("ERROR: the same"))
    assert (failed.pins, failed.found) == (None, None)
    assert "the same" in failed.failure
    assert step.after_success(lock([SIX])).pins is None


def test_what_no_choice_can_help_ends_at_once() -> None:
    own = conflict("The user requested urllib3<2", "The user requested urllib3>=2")
    for output in (OFFLINE, NO_NAME, own):
        step = Search(HELD).after_failure(output)
        assert (step.pins, step.failure) == (None, output)
