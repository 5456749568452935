"""The local workspace: a stand-in for an Azure ML workspace on the developer's machine."""
