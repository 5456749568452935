"""Lets Pants keep what it read of BUILD files from one command to the next.

The rule of Pants 2.17 that reads a BUILD file gets all values of the session. These differ in each
command, by the time of its start and by the order of its environment variables, so that all BUILD
files were read again: 1.6 of the 2.3 seconds of a dry run at 1,000 experiments.
"""

from __future__ import annotations

import dataclasses

from pants.engine.env_vars import CompleteEnvironmentVars
from pants.engine.internals import build_files
from pants.engine.internals.session import SessionValues
from pants.engine.rules import rule

# No BUILD file asks for them, and they are others in each command.
_OF_ONE_COMMAND = {"PANTSD_RUNTRACKER_CLIENT_START_TIME", "AZUREML_JOBS_EXEC_FILE"}


class BuildFileSession(SessionValues):
    """The values that BUILD files may use: the environment variables, in an order of their own."""


@rule
def find_build_file_session(values: SessionValues) -> BuildFileSession:
    variables = sorted(
        each for each in values[CompleteEnvironmentVars].items() if each[0] not in _OF_ONE_COMMAND
    )
    return BuildFileSession({CompleteEnvironmentVars: CompleteEnvironmentVars(variables)})


def keep_build_files() -> None:
    """Give the rule that reads a BUILD file these values alone, in this process."""
    read = build_files.parse_address_family
    selectors = tuple(
        BuildFileSession if each is SessionValues else each for each in read.rule.input_selectors
    )
    setattr(read, "rule", dataclasses.replace(read.rule, input_selectors=selectors))
    # Wherever Pants takes that rule, it takes this one with it.
    setattr(build_files, find_build_file_session.__name__, find_build_file_session)
