"""Test that Pants' engine tells collections of addresses apart by their hashes."""

from __future__ import annotations

from azureml_pants.experiment.hashes import tell_addresses_apart
from pants.engine.addresses import Address, Addresses


def test_addresses_have_hashes_of_their_own() -> None:
    tell_addresses_apart()
    names = ("a", "b", "c")
    assert len({hash(Addresses([Address(name)])) for name in names}) == 3
    assert hash(Addresses([Address("a")])) == hash(Addresses([Address("a")]))
