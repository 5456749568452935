"""What do all rooms need? Errors, the terminal, files, names, and the configured workspace."""
