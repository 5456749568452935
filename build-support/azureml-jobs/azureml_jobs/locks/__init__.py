"""Locks of packages: what is in them, and how little of it has to change."""
