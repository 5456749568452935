"""Azure ML v2 job files: reading, checking and overriding."""
