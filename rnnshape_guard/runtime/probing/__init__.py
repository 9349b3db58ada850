"""What a probe is made of: changed inputs, seeded runs of a model that is put back each time, and what they show."""
