"""What a sweep of a job file says: its search space, its sampling, its limits, its policy."""
