from __future__ import annotations

import pytest
from azureml_pants.code.job_fields import AzureMLJobEntryPointField, AzureMLJobSourceField
from azureml_pants.job.target_types import AzureMLJobTarget
from pants.core.goals.package import OutputPathField
from pants.engine.addresses import Address
from pants.engine.target import InvalidTargetException, Target

ADDRESS = Address("src/x", target_name="job")


def job(**fields: object) -> Target:
    return AzureMLJobTarget(fields, ADDRESS)


def test_a_job_needs_no_field() -> None:
    target = job()
    assert target[AzureMLJobSourceField].path == "src/x/azure-ml-job.yaml"
    assert target[AzureMLJobEntryPointField].value is None
    assert target[OutputPathField].value_or_default(file_ending=None) == "src.x/job"


def test_a_job_file_can_be_in_a_folder_below() -> None:
    assert job(source="jobs/small.yml")[AzureMLJobSourceField].path == "src/x/jobs/small.yml"


def test_a_job_in_the_root_has_a_path_without_a_folder() -> None:
    field = AzureMLJobSourceField(None, Address("", target_name="job"))
    assert field.path == "azure-ml-job.yaml"


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("../job.yaml", id="a folder above"),
        pytest.param("*.yaml", id="a glob"),
        pytest.param("!job.yaml", id="an exclusion"),
        pytest.param(["job.yaml"], id="a list"),
    ],
)
def test_rejects_a_source_that_is_not_a_file_name(source: object) -> None:
    with pytest.raises(InvalidTargetException, match=r"'source' field in target src/x:job"):
        job(source=source)


def test_a_missing_job_file_does_not_break_the_build_file() -> None:
    assert job(source="gone.yaml")[AzureMLJobSourceField].path == "src/x/gone.yaml"
