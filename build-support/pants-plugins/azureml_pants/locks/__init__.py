"""The backend `azureml_pants.locks`: the goal `sync-lockfiles`, and a check for stale locks."""
