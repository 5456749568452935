"""Gives Pants' collections of addresses hashes that differ.

`Collection.__hash__` of Pants 2.17 is that of `typing.Tuple` itself, one number for all of them, so
that the engine compares each new one in a request with all earlier ones: at 1,000 experiments the
first `--changed-since` took most of its time there. Other collections hold what has no hash.
"""

from __future__ import annotations

from pants.engine.addresses import Addresses


def tell_addresses_apart() -> None:
    """Replace the hash of `Addresses` in this process."""
    setattr(Addresses, "__hash__", tuple.__hash__)
