"""The runtime driver: live tensors into the same events that the static driver writes."""
