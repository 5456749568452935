"""The backend `azureml_pants.new_experiment`: the goal `new-experiment`."""
