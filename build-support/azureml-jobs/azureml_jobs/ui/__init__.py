"""How runs are seen in a browser: MLflow's own web page, for this user only."""
