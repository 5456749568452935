"""Which images were pushed, and who may push and pull? (the container registry)"""
