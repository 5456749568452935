"""Pipelines of the local workspace: run the steps in order, each as a job of its own."""
