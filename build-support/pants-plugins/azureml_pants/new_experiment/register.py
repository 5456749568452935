"""What Pants loads of this backend."""

from __future__ import annotations

from azureml_pants.new_experiment import goal
from pants.engine.rules import collect_rules


def rules():
    return collect_rules(goal)
