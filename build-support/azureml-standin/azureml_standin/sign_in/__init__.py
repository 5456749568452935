"""Who may sign in, by what, and what is a token good for?"""
