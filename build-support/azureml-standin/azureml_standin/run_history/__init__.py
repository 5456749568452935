"""What is known of a run: its state, logs, artifacts, metrics? (the data plane)"""
