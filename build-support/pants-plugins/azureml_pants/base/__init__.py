"""What every backend may use: the options `[azureml]`, and errors that Pants prints as they are."""
