"""Tests of the example experiment."""
