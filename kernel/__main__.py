"""The command `margin` as `python -m kernel`."""

from kernel.commands.main import main

if __name__ == "__main__":
    main()
