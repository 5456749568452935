"""The example experiment: which of three cultivars a wine was made from."""
