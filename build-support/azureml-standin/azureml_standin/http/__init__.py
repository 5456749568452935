"""How does the stand-in speak HTTP, record requests, and inject faults?"""
