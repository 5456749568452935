"""Images and containers, through the `docker` command of this machine."""
