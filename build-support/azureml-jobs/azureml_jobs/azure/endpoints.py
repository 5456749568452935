"""Online endpoints, which serve registered models: all of it through azure-ai-ml."""

from __future__ import annotations

import posixpath
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from azureml_jobs.azure import sdk
from azureml_jobs.azure.answers import ServiceError
from azureml_jobs.azure.assets import AzureAssets
from azureml_jobs.azure.workspace import ConnectedWorkspace
from azureml_jobs.base.assets import MODELS, AssetName
from azureml_jobs.base.console import print_warning, short_path
from azureml_jobs.base.errors import JobError
from azureml_jobs.bundle.files import BundleFile
from azureml_jobs.bundle.guard import suspicious_names
from azureml_jobs.bundle.secret_guard import check_secrets, suspicious_files
from azureml_jobs.jobfile.paths import is_local

# Of a deployment without a file.
_DEFAULTS = {"instance_type": "Standard_DS3_v2", "instance_count": 1}


class Endpoints:
    def __init__(self, workspace: ConnectedWorkspace) -> None:
        self._workspace = workspace
        sdk.import_sdk()

    def list(self) -> list[dict[str, Any]]:
        found = self._call("endpoints", lambda client: list(client.online_endpoints.list()))
        return [_row(endpoint) for endpoint in found]

    def create(
        self,
        name: str,
        auth_mode: str,
        file: Path | None,
        settings: Mapping[str, Any],
        allow: Sequence[str],
    ) -> dict[str, Any]:
        """Make or change a deployment of an endpoint, which is made first unless it exists.

        `settings` of azure-ai-ml's deployment change those of the `file`; without one, they name a
        registered `model`. `allow` is what the guard lets pass. The first deployment gets all
        requests. Returns the endpoint's row.
        """
        from azure.ai.ml.entities import ManagedOnlineEndpoint

        deployment = self._deployment({**settings, "endpoint_name": name}, file, allow)
        endpoint = self._find(name)
        if endpoint is None:
            print(f"Creating the endpoint {name}, which takes a few minutes.", file=sys.stderr)
            endpoint = self._put(ManagedOnlineEndpoint(name=name, auth_mode=auth_mode))
        print(
            f"Creating the deployment {deployment.name} of {name}, which takes about ten minutes.",
            file=sys.stderr,
        )
        self._call(
            f"{name}/{deployment.name}",
            lambda client: client.online_deployments.begin_create_or_update(deployment).result(),
        )
        if not any(endpoint.traffic.values()):
            endpoint = self.route(name, {deployment.name: 100})
        return _row(endpoint)

    def invoke(self, name: str, request: Path, deployment: str | None) -> str:
        """Return what the endpoint answers to the JSON in a file."""
        if not request.is_file():
            raise JobError(str(request), "there is no such file", "Write another `--request`.")
        self._get(name)
        given = {"deployment_name": deployment} if deployment else {}
        answer: str = self._call(
            name,
            lambda client: client.online_endpoints.invoke(name, request_file=request, **given),
        )
        return answer

    def keys(self, name: str) -> dict[str, str]:
        """Return the keys by which callers sign in, or the token of an endpoint with tokens."""
        self._get(name)
        found = self._call(name, lambda client: client.online_endpoints.get_keys(name))
        names = ("primary_key", "secondary_key", "access_token")
        return {each: getattr(found, each) for each in names if getattr(found, each, None)}

    def route(self, name: str, shares: Mapping[str, int]) -> Any:
        """Share the requests among deployments, in percent; return the endpoint."""
        endpoint = self._get(name)
        endpoint.traffic = dict(shares)
        return self._put(endpoint)

    def delete(self, name: str, deployment: str | None) -> None:
        self._get(name)
        if deployment is None:
            self._call(name, lambda client: client.online_endpoints.begin_delete(name).result())
        else:
            self._call(
                f"{name}/{deployment}",
                lambda client: client.online_deployments.begin_delete(deployment, name).result(),
            )

    def _deployment(
        self, settings: Mapping[str, Any], file: Path | None, allow: Sequence[str]
    ) -> Any:
        from azure.ai.ml import load_online_deployment
        from azure.ai.ml.entities import ManagedOnlineDeployment

        if file is None:
            self._check_serves_itself(settings["model"])
            # azure-ai-ml looks up a label only by a name without a prefix.
            model = re.sub("^azureml:(?!//)", "", settings["model"])
            return ManagedOnlineDeployment(**{**_DEFAULTS, **settings, "model": model})
        if not file.is_file():
            raise JobError(str(file), "there is no such file", "Write another `--file`.")
        changes = [{key: value} for key, value in settings.items()]
        loaded: Any = sdk.checked(
            str(file), lambda: load_online_deployment(file, params_override=changes)
        )
        _check_deployment(file, loaded, allow)
        if loaded.code_configuration and loaded.code_configuration.code:
            print_warning(f"azure-ai-ml sends every file in {loaded.code_configuration.code}")
        return loaded

    def _check_serves_itself(self, model: str) -> None:
        """Raise `JobError` for a model that needs a scoring script and an environment."""
        if AssetName.parse(model) is None:
            # In a registry: the service answers.
            return
        type = AzureAssets(MODELS, self._workspace).find(model).type
        if type != "mlflow_model":
            raise JobError(
                model,
                f"a model of the type {type} needs a scoring script and an environment",
                "Name the YAML file of a deployment: `--file deployment.yaml`.",
            )

    def _find(self, name: str) -> Any:
        try:
            return self._call(name, lambda client: client.online_endpoints.get(name))
        except ServiceError as error:
            if error.status_code != 404:
                raise
            return None

    def _get(self, name: str) -> Any:
        endpoint = self._find(name)
        if endpoint is None:
            raise JobError(
                name,
                f"{self._workspace.config.name} has no such endpoint",
                "`./pants run :aml -- endpoints list` lists what there is.",
            )
        return endpoint

    def _put(self, endpoint: Any) -> Any:
        return self._call(
            endpoint.name,
            lambda client: client.online_endpoints.begin_create_or_update(endpoint).result(),
        )

    def _call(self, where: str, action: Callable[[Any], Any]) -> Any:
        return sdk.call(self._workspace, where, "the request", action)


def _row(endpoint: Any) -> dict[str, Any]:
    return {
        "name": endpoint.name,
        "state": endpoint.provisioning_state or "",
        "auth_mode": endpoint.auth_mode or "",
        "traffic": dict(endpoint.traffic or {}),
        "url": endpoint.scoring_uri or "",
    }


def _check_deployment(file: Path, deployment: Any, allow: Sequence[str]) -> None:
    """Raise `JobError` for what looks like a secret in the file, or in what it names here.

    `deployment` is what azure-ai-ml has read of the file.
    """
    model = getattr(deployment.model, "path", None)
    found = [*suspicious_files(map(_file, (file, *_sent_files(deployment))))]
    if model and is_local(str(model)):
        found += suspicious_names(str(model), _shown(Path(model)))
    check_secrets(found, allow, str(file), "deployment")


def _sent_files(deployment: Any) -> Iterator[Path]:
    environment, code = deployment.environment, deployment.code_configuration
    if code and code.code and is_local(code.code):
        yield from _folder(Path(deployment.base_path, code.code))
    if environment is None or isinstance(environment, str):
        return
    build = environment.build and environment.build.path
    if build and is_local(build):
        yield from _folder(Path(environment.base_path, build))
    if environment._conda_file_path:
        yield Path(environment._conda_file_path)


def _folder(folder: Path) -> Iterator[Path]:
    """Yield what azure-ai-ml sends of a folder, which may have files of what to ignore."""
    from azure.ai.ml._utils._asset_utils import get_ignore_file, get_upload_files_from_folder

    # Pairs of a path here and a name there, whatever its annotation says.
    files: Any = get_upload_files_from_folder(folder, ignore_file=get_ignore_file(folder))
    for path, _ in files:
        yield Path(path)


def _file(path: Path) -> BundleFile:
    return BundleFile.read(path, path.name, _shown(path), "")


def _shown(path: Path) -> str:
    """Return the path relative to the folder where the command runs, as far as it is below."""
    return posixpath.normpath(short_path(path))
