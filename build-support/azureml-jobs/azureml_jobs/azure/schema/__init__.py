"""Write the JSON schemas of job, component and schedule files from azure-ai-ml itself."""
