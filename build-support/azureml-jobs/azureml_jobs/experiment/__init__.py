"""New experiments: their names, and the template of which they are made."""
