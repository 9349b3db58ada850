"""``python -m rnnshape_guard``."""

from rnnshape_guard.cli import main

if __name__ == "__main__":
    main()
