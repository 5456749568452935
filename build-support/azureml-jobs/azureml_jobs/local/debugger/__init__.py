"""Runs under a debugger: what makes their Python processes wait for an editor."""
