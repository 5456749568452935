"""What makes the Python processes of a run wait for an editor to attach."""
