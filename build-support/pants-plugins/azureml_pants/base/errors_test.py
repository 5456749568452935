from __future__ import annotations

import pytest
from azureml_pants.base.errors import PluginError, raise_errors


def test_raises_all_messages_as_they_are() -> None:
    raise_errors(())
    with pytest.raises(PluginError) as raised:
        raise_errors(("a.yaml: one.\n\nFix it.", "a.yaml: two."))
    assert str(raised.value) == "a.yaml: one.\n\nFix it.\n\na.yaml: two."
