"""Shape checks for recurrent PyTorch models: before the code runs, and in words a person would use."""

__version__ = "0.1.0"
