"""How does the stand-in speak HTTP, what does it record, and how does it break a connection?"""
