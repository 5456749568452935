"""The one step of azure-ai-ml: it makes a job, a component or a schedule of a bundle.

It reads the bundle's own file, as `az ml job create -f` does, so that all of its schema works. What
it would upload has already been sent by this tool: it finds ids of assets.
"""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import warnings
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from azureml_jobs.azure.answers import (
    Response,
    ServiceError,
    WrongAnswer,
    any_answer,
    json_object,
    resource,
    without_secrets,
)
from azureml_jobs.azure.connection import USER_AGENT
from azureml_jobs.azure.credentials import import_identity
from azureml_jobs.azure.retries import Retries, patience_seconds, wait_before_retry
from azureml_jobs.azure.submission import Submission
from azureml_jobs.azure.transport import shortened
from azureml_jobs.azure.workspace import ConnectedWorkspace
from azureml_jobs.base.errors import JobError
from azureml_jobs.base.web import failure_remedy
from azureml_jobs.bundle.git_command import remote_address

Value = TypeVar("Value")

_READ_SECONDS = 20


def import_sdk() -> None:
    """Import azure-ai-ml, after azure-identity, and keep its notices from the user."""
    import_identity()
    warnings.simplefilter("ignore")
    # Nothing of what an import makes is garbage; collecting costs a sixth of its time.
    gc.disable()
    try:
        from azure.ai import ml
    finally:
        gc.enable()
    logging.getLogger(ml.__name__).setLevel(logging.ERROR)


def load(bundled: Path, submission: Submission, marks: Mapping[str, str]) -> Any:
    """Return what the bundle's file defines, with its name and the marks of this tool.

    Raises `JobError` for what azure-ai-ml refuses.
    """
    from azure.ai.ml import load_component, load_job
    from azure.ai.ml.entities._load_functions import load_schedule

    read: Any = load_job if submission.is_job else load_schedule
    if submission.is_component:
        read = load_component
    entity: Any = checked(bundled.name, lambda: read(bundled))
    if submission.is_job:
        entity.name = submission.name
    if submission.is_component:
        entity.version = submission.asset_version
    job: Any = entity if submission.is_job else getattr(entity, "create_job", None)
    if hasattr(job, "experiment_name"):
        # Otherwise the folder in which Pants was started names it.
        job.experiment_name = job.experiment_name or submission.experiment_name
    # azure-ai-ml drops the properties of Spark jobs.
    kept_as = "tags" if submission.file_kind == "spark job" else "properties"
    setattr(entity, kept_as, {**(getattr(entity, kept_as) or {}), **marks})
    return entity


def checked(where: str, read: Callable[[], Value]) -> Value:
    """Return what azure-ai-ml reads; raise `JobError` for what it refuses."""
    try:
        return read()
    except Exception as error:  # azure-ai-ml raises what its parts raise.
        raise JobError(where, f"azure-ai-ml refuses it: {_message(error)}") from error


def create(
    entity: Any, submission: Submission, workspace: ConnectedWorkspace
) -> tuple[str, Mapping[str, str]]:
    """Make what was loaded, or find the one of its name.

    Returns a link to it in the studio, which may be empty, and the marks that the service has of
    it. Raises `ServiceError` and `JobError`.
    """
    what = f"the {submission.file_kind}"
    made = call(
        workspace, submission.name, what, lambda client: _create(client, entity, submission)
    )
    studio = (getattr(made, "services", None) or {}).get("Studio")
    link = str(studio.endpoint) if studio and studio.endpoint else ""
    return link, {**(made.tags or {}), **(made.properties or {})}


def call(
    workspace: ConnectedWorkspace, where: str, what: str, action: Callable[[Any], Value]
) -> Value:
    """Return what `action` returns of an `MLClient`. It may be called again.

    azure-ai-ml does not retry after an expired token, and gives up only after minutes: its own
    retries are off, and it is called again here. Raises `ServiceError`, and `JobError` for what
    azure-ai-ml refuses; `where` and `what` are for messages.
    """
    from azure.ai.ml.exceptions import MlException
    from azure.core.exceptions import AzureError

    retries, is_renewed = Retries(patience_seconds()), False
    while True:
        try:
            # Each time a new client, because it keeps its token.
            return action(_client(workspace))
        except AzureError as error:
            status = getattr(error, "status_code", 0) or 0
            if status == 401 and not is_renewed:
                workspace.sign_in.renew(workspace.cloud.management_scope)
                is_renewed = True
                continue
            pause = wait_before_retry(error)
            if pause is None and isinstance(error, MlException):
                raise _refusal(where, what, error) from error
            if pause is None or not retries.wait(pause):
                if isinstance(error.inner_exception, ServiceError):
                    raise error.inner_exception from error
                if not status:
                    raise ServiceError(
                        where, _message(error), remedy=failure_remedy(error)
                    ) from error
                message = f"the service did not take {what}: {_message(error)}"
                raise ServiceError(where, message, status) from error
        except Exception as error:  # Its own exceptions, and marshmallow's.
            if isinstance(error, (JobError, OSError)):
                raise
            raise _refusal(where, what, error) from error


def _refusal(where: str, what: str, error: Exception) -> JobError:
    return JobError(where, f"azure-ai-ml refuses {what}: {_message(error)}")


def _create(client: Any, entity: Any, submission: Submission) -> Any:
    if submission.file_kind == "pipeline job":
        # Its own check also asks for every compute, and takes any failure of that for the user's.
        entity._validate(raise_error=True)
    if submission.is_job:
        return client.jobs.create_or_update(
            entity, skip_validation=submission.file_kind == "pipeline job"
        )
    if submission.is_component:
        return client.components.create_or_update(entity)
    return client.schedules.begin_create_or_update(entity).result()


def _client(workspace: ConnectedWorkspace) -> Any:
    from azure.ai.ml import MLClient

    config, cloud = workspace.config, workspace.cloud
    settings: dict[str, Any] = {"cloud": cloud.name}
    if cloud.is_private:
        # It accepts no other addresses for a name that it knows.
        settings["cloud"] = f"private {cloud.resource_manager}"
        settings["cloud_metadata"] = {
            "azure_portal": cloud.portal,
            "resource_manager": cloud.resource_manager,
            "active_directory": cloud.authority,
            "aml_resource_id": cloud.machine_learning,
            "storage_endpoint": cloud.storage_suffix,
            "registry_discovery_endpoint": cloud.machine_learning,
        }
    return MLClient(
        workspace.sign_in,
        config.subscription_id,
        config.resource_group,
        config.name,
        show_progress=False,
        enable_telemetry=False,
        user_agent=USER_AGENT,
        retry_total=0,
        connection_timeout=10,
        read_timeout=_READ_SECONDS,
        raw_response_hook=partial(_check_answer, cloud.resource_manager),
        **settings,
    )


def _check_answer(resource_manager: str, response: Any) -> None:
    """Raise what is tried again for an answer of success that cannot be the service's own.

    azure-ai-ml would fail somewhere within, as if the job was wrong. Endpoints may answer anything.
    """
    from azure.core.exceptions import ServiceResponseError

    request, answer = response.http_request, response.http_response
    is_of_service = request.url.startswith(f"{resource_manager}/")
    if answer.status_code not in (200, 201) or not is_of_service:
        return
    where = shortened(request.method, request.url)
    found = Response(where, 200, answer.headers, answer.body())
    try:
        any_answer(found)
        if request.method == "PUT":
            resource(found)
        elif found.body:
            json_object(found)
    except WrongAnswer as error:
        failure = ServiceError.of_wrong_answer(found, error)
        raise ServiceResponseError(str(failure), error=failure) from error


def hide_git_credentials(repository: Path) -> None:
    """Give azure-ai-ml the remote's address without credentials, which it would send."""
    address = remote_address(repository)
    if address:
        os.environ.setdefault("AZUREML_GIT_REPOSITORY_URI", address)


def _message(error: Exception) -> str:
    """Return the start of an error of azure-ai-ml, which is long and in colours, or JSON."""
    import json
    import re

    given = getattr(error, "message", None) or str(error)
    with contextlib.suppress(ValueError, KeyError, TypeError):
        found = json.loads(given)["errors"]
        given = "; ".join(f"{each['path']}: {each['message'].rstrip('.')}" for each in found)
    plain = re.sub(r"\x1b\[[0-9;]*m", "", str(given))
    lines = [line.strip() for line in plain.splitlines() if line.strip()]
    text = " ".join(lines)
    # What follows repeats it, or says nothing of this error.
    text = text.partition(" Resolutions: ")[0].rpartition("Details: (x) ")[2]
    text = text.partition(" Code: ")[0] if text.startswith("(") else text
    return without_secrets(text)[:600].rstrip(".")
