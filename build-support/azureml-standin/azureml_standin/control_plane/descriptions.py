"""The workspace and what comes with it, as the control plane shows them."""

from __future__ import annotations

from typing import Any

from azureml_standin.clouds import REGION, REGISTRY, Names
from azureml_standin.control_plane import resources
from azureml_standin.control_plane.resources import WorkspaceAddress

BLOB_STORE = "workspaceblobstore"
ARTIFACT_STORE = "workspaceartifactstore"
BLOB_CONTAINER = "azureml-blobstore-standin"
ARTIFACT_CONTAINER = "azureml"
DATASTORES = {BLOB_STORE: BLOB_CONTAINER, ARTIFACT_STORE: ARTIFACT_CONTAINER}
_CREATED = "2024-01-01T00:00:00Z"


def workspace_resource(
    names: Names, workspace: WorkspaceAddress, tenant: str, registry: str | None
) -> dict[str, Any]:
    """Describe the workspace; `registry` is the id of its container registry."""
    host = names.data_plane.partition("://")[2]
    content = resources.resource(
        workspace.id,
        "workspaces",
        {
            "discoveryUrl": f"{names.data_plane}/discovery",
            "mlFlowTrackingUri": f"azureml://{host}/mlflow/v1.0{workspace.id}",
            "containerRegistry": registry,
            "tenantId": tenant,
            "workspaceId": workspace.subscription,
            "provisioningState": "Succeeded",
        },
        _CREATED,
    )
    content.update(location=REGION, kind="Default", tags={}, identity={"type": "SystemAssigned"})
    return content


def registry_resource(names: Names, id_: str) -> dict[str, Any]:
    properties = {"loginServer": names.registry, "provisioningState": "Succeeded"}
    kind = "Microsoft.ContainerRegistry/registries"
    return {"id": id_, "name": REGISTRY, "type": kind, "properties": properties}


def datastore_resource(
    names: Names, workspace: WorkspaceAddress, name: str, container: str, credentials: str
) -> dict[str, Any]:
    return resources.resource(
        f"{workspace.id}/datastores/{name}",
        "workspaces/datastores",
        {
            "datastoreType": "AzureBlob",
            "accountName": names.account,
            "containerName": container,
            "endpoint": names.storage.partition(".blob.")[2],
            "protocol": "https",
            "credentials": {"credentialsType": credentials},
            "isDefault": name == BLOB_STORE,
        },
        _CREATED,
    )


def compute_resource(workspace: WorkspaceAddress, name: str) -> dict[str, Any]:
    size = {"vmSize": "STANDARD_DS3_V2", "scaleSettings": {"minNodeCount": 0, "maxNodeCount": 1}}
    properties = {
        "computeType": "AmlCompute",
        "provisioningState": "Succeeded",
        "properties": size,
    }
    id_ = f"{workspace.id}/computes/{name}"
    made = resources.resource(id_, "workspaces/computes", properties, _CREATED)
    return {**made, "location": REGION}
