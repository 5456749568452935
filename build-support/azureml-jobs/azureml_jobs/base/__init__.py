"""What every room stands on: errors, the terminal, files, names, and the configured workspace."""
