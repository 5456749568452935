"""Azure Machine Learning jobs, read, checked, bundled and run without Pants and without Azure."""
