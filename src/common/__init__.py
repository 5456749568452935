"""Code that experiments share: import it, and a job gets exactly the modules that it imports."""
