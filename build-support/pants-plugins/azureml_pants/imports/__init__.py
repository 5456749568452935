"""The backend `azureml_pants.imports`: `lint` of imports that nothing satisfies."""
