"""The shape algebra: sizes, atoms, axes and shapes, what can go wrong with them, and the notations people write them in."""
