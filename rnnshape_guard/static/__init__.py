"""The static driver: source in, diagnostics out. It never imports or runs what it reads."""
