"""Test that a job is run again from its name alone, in another clone than the one that made it."""

from __future__ import annotations

from pathlib import Path

from documents import commands_run_by
from example import JOB, MAIN
from scratch import Checkout, Scratch

# Around it, the stand-in is the workspace.
AGAIN = f"""
set -e
cd "$1"
./pants --no-pantsd run {JOB} -- --name recorded --set inputs.epochs=3 --stream
echo 'raise SystemExit("changed")' >{MAIN}
rm -r "$1"
cd "$2"
$3
"""


def test_a_job_of_a_clone_that_is_gone_has_the_same_result_again(
    scratch: Scratch, tmp_path: Path
) -> None:
    scratch.git("clone", "--quiet", ".", str(tmp_path / "first"))
    first = Checkout(tmp_path / "first")
    # No commit has this, and the metrics show it.
    main = first.root / MAIN
    main.write_text(main.read_text().replace("held_out=0.3", "held_out=0.25"))
    before = scratch.git("status", "--porcelain"), scratch.git("for-each-ref")
    (command,) = commands_run_by("test_a_job_of_a_clone_that_is_gone_has_the_same_result_again")
    again = command.replace("NAME", "recorded")
    service = ("run", ":aml", "--", "service", "--", "bash", "-c", AGAIN, "bash")
    ran = scratch.pants(*service, str(first.root), str(scratch.root), again)
    assert not first.root.exists()
    assert "byte for byte: snapshot" in ran.stderr
    sent_again = ran.stdout.partition("recorded-again-")[2]
    assert "snapshot             unchanged, nothing sent" in sent_again
    assert "environment          unchanged, nothing sent" in sent_again
    assert "The same status and 4 more values." in sent_again
    assert (scratch.git("status", "--porcelain"), scratch.git("for-each-ref")) == before
