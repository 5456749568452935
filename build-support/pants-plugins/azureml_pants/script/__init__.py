"""The backend `azureml_pants.script`: local scripts, shells and tests, as a job would run."""
