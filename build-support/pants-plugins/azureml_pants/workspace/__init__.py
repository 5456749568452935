"""The backend `azureml_pants.workspace`: commands for the jobs of a workspace."""
