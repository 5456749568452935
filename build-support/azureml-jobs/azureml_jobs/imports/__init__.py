"""Which files does Python load: the rules of its imports, in the layout of the snapshot."""
