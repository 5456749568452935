"""Read, check, bundle and run Azure Machine Learning jobs, without Pants and without Azure."""
