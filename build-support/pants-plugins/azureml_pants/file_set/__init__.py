"""The backend `azureml_pants.file_set`: many files as one target."""
