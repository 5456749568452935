from __future__ import annotations

from unittest.mock import Mock

import pytest
from azureml_pants.environment.needed_packages import NeededPackagesRequest
from azureml_pants.environment.packages import LockedRequirements, LockedRequirementsRequest
from azureml_pants.image.requirements import (
    GenerateLockedRequirements,
    generate_locked_requirements,
)
from azureml_pants.image.target_types import LockedRequirementsTarget
from pants.engine.addresses import Address
from pants.engine.fs import EMPTY_DIGEST, EMPTY_SNAPSHOT, AddPrefix, Snapshot
from pants.testutil.rule_runner import MockGet, run_rule_with_mocks


@pytest.mark.parametrize(
    "fields, expected",
    [({}, "src/x/docker"), ({"folder": "./images/gpu"}, "src/x/images/gpu")],
    ids=["the usual folder", "another one"],
)
def test_writes_the_file_next_to_the_dockerfile(fields: dict, expected: str) -> None:
    fields = {"jobs": [":job"], **fields}
    target = LockedRequirementsTarget(fields, Address("src/x", target_name="requirements"))
    prefixes: list[AddPrefix] = []

    def add_prefix(request: AddPrefix) -> Snapshot:
        prefixes.append(request)
        return EMPTY_SNAPSHOT

    run_rule_with_mocks(
        generate_locked_requirements,
        rule_args=[GenerateLockedRequirements(EMPTY_SNAPSHOT, target)],
        mock_gets=[
            MockGet(
                LockedRequirementsRequest,
                (NeededPackagesRequest,),
                lambda _: LockedRequirementsRequest("second", ("numpy",)),
            ),
            MockGet(
                LockedRequirements,
                (LockedRequirementsRequest,),
                lambda _: Mock(digest=EMPTY_DIGEST),
            ),
            MockGet(Snapshot, (AddPrefix,), add_prefix),
        ],
    )
    assert prefixes == [AddPrefix(EMPTY_DIGEST, expected)]
