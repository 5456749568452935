"""Workspaces of Azure Machine Learning: the only folder that talks to Azure."""
