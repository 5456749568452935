"""The environment variables that a job or a script gets in the local workspace."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from azureml_jobs.jobfile.sweep.space import value_text
from azureml_jobs.local.record import JobRecord
from azureml_jobs.local.run_environment import CONTAINER_VARIABLES

# A job in the cloud sees none of the laptop's variables. What a job needs belongs into
# `environment_variables` of its job file, which the cloud gets, too; and a job must not see the
# credentials in a developer's shell. Only what describes the machine is passed on.
_PASSED_ON = frozenset(
    {
        # The user and the session
        *("HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TERM", "COLORTERM"),
        *("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "TMPDIR", "DISPLAY", "XDG_RUNTIME_DIR"),
        *("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"),
        # The network, for data and models that code fetches by itself
        *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY"),
        *("http_proxy", "https_proxy", "no_proxy", "all_proxy"),
        *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
        # The hardware and its drivers
        *("CUDA_VISIBLE_DEVICES", "CUDA_HOME", "CUDA_PATH", "NVIDIA_VISIBLE_DEVICES"),
        *("ROCR_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "LD_LIBRARY_PATH", "OMP_NUM_THREADS"),
    }
)
# A container has its own folders, languages and libraries, so that it gets less.
_PASSED_INTO_CONTAINERS = frozenset(
    {
        *("USER", "LOGNAME", "TZ", "TERM", "COLORTERM", "COLUMNS", "LINES"),
        *("NO_COLOR", "FORCE_COLOR", "CUDA_VISIBLE_DEVICES"),
    }
)
_PROXIES = frozenset({"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY"})
_NO_WORKSPACE = {
    "AZUREML_ARM_SUBSCRIPTION": "00000000-0000-0000-0000-000000000000",
    "AZUREML_ARM_RESOURCEGROUP": "local",
    "AZUREML_ARM_WORKSPACE_NAME": "local",
}
_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


def job_environment(
    record: JobRecord,
    mlruns: Path,
    experiment_id: str,
    pythons: Sequence[str],
    place: Mapping[str, str],
) -> dict[str, str]:
    """Return the environment of a job's command. The job file's own variables win.

    The `bin` folders of `pythons` come first on its PATH. `place` has the variables of one process
    of several.
    """
    environment = {
        **_surroundings(pythons, record.container is not None),
        # Read by azureml-mlflow (`_common/constants.py`), by azureml-core's `Run.get_context`
        # and by user code. There is no subscription: some code wants names of one nevertheless.
        **_NO_WORKSPACE,
        "AZUREML_RUN_ID": record.name,
        "AZUREML_ROOT_RUN_ID": record.root or record.name,
        "AZUREML_EXPERIMENT_ID": experiment_id,
        "AZUREML_ARM_PROJECT_NAME": record.experiment_name,
        # https://mlflow.org/docs/latest/api_reference/python_api/mlflow.environment_variables.html
        **_tracking(mlruns, record.experiment_name),
        "MLFLOW_EXPERIMENT_ID": experiment_id,
        "MLFLOW_RUN_ID": record.name,
        **place,
    }
    # Azure ML gives the paths of data, but not literals, under these names; the prefix is in
    # azure-ai-ml, too (`entities/_job/parameterized_command.py`).
    for key, path in record.paths.items():
        kind, _, name = key.partition(".")
        environment[f"AZURE_ML_{kind[:-1].upper()}_{name}"] = path
    if record.parameters:
        environment |= _sweep_variables(record)
    return environment | record.environment_variables


def _sweep_variables(record: JobRecord) -> dict[str, str]:
    """Return what trials have in addition, by `entities/_job/sweep/sweep_job.py`."""
    values = {name: given["value"] for name, given in record.inputs.items()}
    values |= {key.partition(".")[2]: path for key, path in record.paths.items()}
    values |= {name: value_text(value) for name, value in record.parameters.items()}
    return {f"AZUREML_SWEEP_{name}": text for name, text in values.items()}


def script_environment(
    pythons: Sequence[str],
    mlruns: Path,
    experiment: str,
    own: Mapping[str, str],
    in_container: bool,
) -> dict[str, str]:
    """Return the environment of a `:local` script: as of a job, but without a run to resume."""
    return {**_surroundings(pythons, in_container), **_tracking(mlruns, experiment), **own}


def _surroundings(pythons: Sequence[str], in_container: bool) -> dict[str, str]:
    given = _into_container() if in_container else _on_this_machine(pythons)
    # The user should see what a job prints at once, not when a buffer is full.
    return {**given, "PYTHONUNBUFFERED": "1"}


def _into_container() -> dict[str, str]:
    # For Python, which asks for the user's name; the image does not know it.
    return {"USER": "user", **CONTAINER_VARIABLES} | {
        key: value
        for key, value in os.environ.items()
        if key in _PASSED_INTO_CONTAINERS
        # A container cannot reach a proxy on this machine's loopback.
        or (key.upper() in _PROXIES and not any(part in value for part in _LOOPBACK))
    }


def _on_this_machine(pythons: Sequence[str]) -> dict[str, str]:
    environment = {
        key: value
        for key, value in os.environ.items()
        if key in _PASSED_ON or key.startswith("LC_")
    }
    folders = [os.path.join(python, "bin") for python in pythons]
    environment["PATH"] = os.pathsep.join([*folders, os.environ.get("PATH", os.defpath)])
    if pythons:
        environment["VIRTUAL_ENV"] = pythons[0]
        # `uv pip install --system` would look for another one.
        environment["UV_PYTHON"] = os.path.join(pythons[0], "bin", "python")
    # Whichever pip a command finds, it never installs into the Python of this machine.
    environment["PIP_REQUIRE_VIRTUALENV"] = "1"
    environment["PIP_DISABLE_PIP_VERSION_CHECK"] = "1"
    return environment


def _tracking(mlruns: Path, experiment: str) -> dict[str, str]:
    return {
        "MLFLOW_TRACKING_URI": mlruns.absolute().as_uri(),
        "MLFLOW_EXPERIMENT_NAME": experiment,
        # MLflow 3 refuses a store of files without it.
        "MLFLOW_ALLOW_FILE_STORE": "true",
        # MLflow would tell its makers which of its functions are used, from threads of its own.
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }
