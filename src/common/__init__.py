"""Code that experiments share. Import it; a job gets exactly the modules that it imports."""
