"""A workspace that is ready to be talked to: its cloud, who signs in, the connection."""

from __future__ import annotations

import sys

from azureml_jobs.azure.clouds import find_cloud
from azureml_jobs.azure.connection import Connection
from azureml_jobs.azure.sign_in import SignIn
from azureml_jobs.azure.workspace import Workspace
from azureml_jobs.base.workspace_config import AzureWorkspace


class ConnectedWorkspace:
    """Signing in begins at once, in the background."""

    def __init__(self, place: AzureWorkspace, login: bool = False) -> None:
        # Whatever the environment says: without it, importing the SDK takes 4 s in place of 1.
        sys.dont_write_bytecode = False
        cloud = find_cloud(place.cloud, place.source)
        self.sign_in = SignIn(cloud, login)
        self.sign_in.begin(cloud.management_scope)
        self.workspace = Workspace(place, cloud, Connection(self.sign_in))
