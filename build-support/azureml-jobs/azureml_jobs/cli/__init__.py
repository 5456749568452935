"""Which command is meant, which arguments does it take, and what does it print?"""
