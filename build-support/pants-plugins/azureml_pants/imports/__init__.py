"""The backend `azureml_pants.imports`: what Pants misses of imports, and `lint` of them."""
