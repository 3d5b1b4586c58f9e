"""The command `margin`, from a checkout: `python cli.py`."""

from kernel.commands.main import main

if __name__ == "__main__":
    main()
