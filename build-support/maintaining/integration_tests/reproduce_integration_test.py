"""Test that a job is run again from its name alone, when its code is gone from the working tree."""

from __future__ import annotations

from documents import commands_run_by
from example import JOB, MAIN
from scratch import Scratch

# Around it, the stand-in is the workspace.
AGAIN = f"""
set -e
./pants run {JOB} -- --name recorded --set inputs.epochs=3 --stream
echo 'raise SystemExit("changed")' >{MAIN}
$1
"""


def test_a_job_whose_code_is_gone_has_the_same_result_again(scratch: Scratch) -> None:
    (command,) = commands_run_by("test_a_job_whose_code_is_gone_has_the_same_result_again")
    again = command.replace("NAME", "recorded")
    references = scratch.git("for-each-ref")
    # No commit has this, and the metrics show it.
    edited = (scratch.root / MAIN).read_text().replace("held_out=0.3", "held_out=0.25")
    with scratch.changed({MAIN: edited}):
        service = ("run", ":aml", "--", "service", "--", "bash", "-c", AGAIN, "bash", again)
        ran = scratch.pants(*service)
        assert scratch.git("status", "--porcelain") == f" M {MAIN}\n"
    assert "byte for byte: snapshot" in ran.stderr
    sent_again = ran.stdout.partition("recorded-again-")[2]
    assert "snapshot             unchanged, nothing sent" in sent_again
    assert "environment          unchanged, nothing sent" in sent_again
    assert "The same status and 4 more values." in sent_again
    assert scratch.git("for-each-ref") == references
