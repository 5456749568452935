"""The backend `azureml_pants.experiment`: what `experiment()` declares, and stray tests."""
