"""The backend `azureml_pants.image`: images with exactly the locked packages that jobs import."""
