"""How the plugin starts the job tool: its packages, its message, and a debugger."""
