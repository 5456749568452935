"""Does a job conform to what azure-ai-ml accepts, and if not, what should be written?"""
