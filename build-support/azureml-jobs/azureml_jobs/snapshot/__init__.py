"""The exact snapshot of a job: which files, where each goes, and what is said of them."""
