"""Ports of this machine that only it can reach."""

from __future__ import annotations

import socket

from azureml_jobs.base.errors import OutsideError

LOOPBACK = "127.0.0.1"


def bound_socket(port: int | None, usual: int) -> socket.socket:
    """Return a socket on `port`; on `usual`, or else on any free port, for None."""
    if port is None:
        try:
            return _bound(usual)
        except OSError:
            return _bound(0)
    try:
        return _bound(port)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        raise OutsideError(
            f"--port {port}", f"the port cannot be used: {reason}", "Choose another one."
        ) from error


def _bound(port: int) -> socket.socket:
    bound = socket.socket()
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((LOOPBACK, port))
    except BaseException:
        bound.close()
        raise
    return bound
