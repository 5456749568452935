from __future__ import annotations

import pytest
from azureml_jobs import protocol
from azureml_pants.base.errors import PluginError
from azureml_pants.job_tool import rules
from azureml_pants.job_tool.message import VERSION


def test_a_backend_is_not_loaded_with_a_job_tool_of_another_version(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert rules.rules()
    monkeypatch.setattr(protocol, "VERSION", VERSION + 1)
    with pytest.raises(PluginError, match=rf"version {VERSION}, .* reads version {VERSION + 1}\."):
        rules.rules()
