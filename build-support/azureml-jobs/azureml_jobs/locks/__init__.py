"""Bring locks in line with their requirements, by the least change."""
