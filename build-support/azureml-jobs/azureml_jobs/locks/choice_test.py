"""uv gets what a lock holds; its choice becomes constraints."""

from __future__ import annotations

from azureml_jobs.locks.conftest import lock_text, package
from azureml_jobs.locks.lock import Lock
from azureml_jobs.locks.sync import constraints, input_files


def test_uv_gets_the_locked_versions_and_the_environments_of_the_lock() -> None:
    old = Lock(lock_text([package("numpy", "2.4"), package("six", "1.17")]))
    assert input_files(old, ["numpy<3", "six"], ["3.11"]) == {
        "requirements.in": "numpy<3\nsix\n",
        "versions.txt": "numpy==2.4\nsix==1.17\n",
        "pyproject.toml": (
            "[tool.uv]\n"
            "environments = [\"python_version == '3.11' and sys_platform == 'linux'\", "
            "\"python_version == '3.11' and sys_platform == 'darwin'\"]\n"
        ),
    }
    assert input_files(None, ["six"], ["3.11"])["versions.txt"] == ""


def test_the_choice_becomes_constraints() -> None:
    versions = (
        "appnope==1.0.0 ; sys_platform == 'darwin'\n"
        "cowsay @ git+https://host/cowsay@0123\n"
        "numpy==2.0 ; python_full_version < '3.10'\n"
        "numpy==2.4 ; python_full_version >= '3.10'\n"
        "six==1.17\n"
    )
    assert constraints(versions, ["six==1.17"]) == (
        "appnope==1.0.0",
        "numpy==2.0; python_full_version < '3.10'",
        "numpy==2.4; python_full_version >= '3.10'",
    )
