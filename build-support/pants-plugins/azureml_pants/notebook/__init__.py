"""The backend `azureml_pants.notebook`: JupyterLab in the image of an experiment."""
