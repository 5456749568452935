"""The message to the job tool: its version, and the file that holds it."""

from __future__ import annotations

from azureml_jobs import protocol
from azureml_jobs.protocol import REQUEST_FILE, Message
from azureml_pants.base.errors import PluginError
from pants.engine.fs import CreateDigest, FileContent

# The version of the messages that this plugin writes. Raise it with the job tool's.
VERSION = 4


def check_version() -> None:
    """Raise `PluginError` when the job tool reads messages of another version."""
    if protocol.VERSION != VERSION:
        raise PluginError(
            f"build-support: the plugin writes messages of version {VERSION}, and the job tool "
            f"reads version {protocol.VERSION}.\n\n"
            "build-support/pants-plugins and build-support/azureml-jobs are from different "
            "versions of the template: update both."
        )


def request_file(request: Message) -> CreateDigest:
    return CreateDigest([FileContent(REQUEST_FILE, request.to_json())])
