"""The command line from a checkout: `python cli.py lint`. Installed, it is `gateway lint`."""

from gateway.commands import app

if __name__ == "__main__":
    app()
