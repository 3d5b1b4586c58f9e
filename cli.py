"""The command `margin`, from a checkout: `python cli.py`."""

from kernel.cli import main

if __name__ == "__main__":
    main()
