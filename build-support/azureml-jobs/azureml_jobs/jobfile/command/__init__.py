"""Which code does a command run? Its bash is read; nothing is executed, expanded or looked up."""
