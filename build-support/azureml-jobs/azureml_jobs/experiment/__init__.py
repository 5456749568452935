"""Write a new experiment from the template."""
