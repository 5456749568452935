"""Sweeps of the local workspace: choose values, run a trial for each, end the poor ones early."""
