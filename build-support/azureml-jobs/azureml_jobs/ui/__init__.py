"""How runs are seen: MLflow's own web page, for this user only, and figures."""
