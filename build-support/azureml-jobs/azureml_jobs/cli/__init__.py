"""Every command of the job tool: its arguments, and what it prints."""
