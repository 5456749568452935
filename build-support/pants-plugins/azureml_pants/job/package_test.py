from __future__ import annotations

import pytest
from azureml_pants.base.errors import PluginError
from azureml_pants.job.package import check_bundle


def test_raises_the_message_of_the_job_tool() -> None:
    with pytest.raises(PluginError, match=r"^a.yaml: unknown key\.$"):
        check_bundle(2, b"a.yaml: unknown key.\n")


def test_logs_the_warnings_of_the_job_tool(caplog: pytest.LogCaptureFixture) -> None:
    check_bundle(0, b"warning: src/x/main.py:3: names a.csv.\n")
    assert caplog.messages == ["warning: src/x/main.py:3: names a.csv."]
