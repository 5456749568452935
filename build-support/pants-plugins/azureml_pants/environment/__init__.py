"""What code runs in: locked packages, virtual environments and images."""
