"""What a target needs of the repository: who owns its files, which it reaches, what it imports."""
