"""Which steps does a pipeline have, and what does each of them get?"""
