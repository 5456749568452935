"""The backend `azureml_pants.job`: jobs of Azure ML, to run, to package and to lint."""
