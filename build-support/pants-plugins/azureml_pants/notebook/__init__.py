"""The backend `azureml_pants.notebook`: JupyterLab with the packages of an experiment."""
