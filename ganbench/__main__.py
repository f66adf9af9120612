"""`python -m ganbench`: the command line, where its script is not on the path."""

from ganbench.cli.app import script

if __name__ == "__main__":
    script()
