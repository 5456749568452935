from __future__ import annotations

from typing import Any, cast

from azureml_jobs.cli.jobs import WorkspaceJobs
from azureml_jobs.cli.reproduce import outcome, print_outcomes


class Jobs:
    """A pipeline whose second step did not start."""

    def __init__(self, loss: float) -> None:
        self.loss = loss

    def described(self, name: str) -> dict[str, Any]:
        train = {"step": "train", "name": f"{name}_train", "status": "Completed", "children": []}
        score = {"step": "score", "name": "", "status": "NotStarted", "children": []}
        children = [train, score]
        return {"name": name, "status": "Failed", "metrics": {}, "children": children}

    def logged(self, names: list[str]) -> list[dict[str, Any]]:
        return [{"name": name, "metrics": {"loss": self.loss}} for name in names]

    def outcome(self, name: str) -> dict[str, Any]:
        return outcome(cast(WorkspaceJobs, self), self.described(name))


def test_the_result_of_a_pipeline_is_that_of_its_steps() -> None:
    found = Jobs(0.5).outcome("a")
    assert found == {
        "name": "a",
        "status": "Failed",
        "train: status": "Completed",
        "train: loss": 0.5,
    }
    assert print_outcomes(found, Jobs(0.5).outcome("b"))
    assert not print_outcomes(found, Jobs(0.5000001).outcome("b"))
