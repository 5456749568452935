"""Ports of this machine that only it can reach."""

from __future__ import annotations

import os
import socket

from azureml_jobs.base.errors import OutsideError

LOOPBACK = "127.0.0.1"


def listening_socket(port: int | None, usual: int) -> socket.socket:
    """Return a socket that listens on `port`; on `usual`, or else on any free port, for None."""
    if port is None:
        try:
            return socket.create_server((LOOPBACK, usual))
        except OSError:
            return socket.create_server((LOOPBACK, 0))
    try:
        return socket.create_server((LOOPBACK, port))
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        raise OutsideError(
            f"--port {port}", f"the port cannot be used: {reason}", "Choose another one."
        ) from error
