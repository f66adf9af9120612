"""ganbench from Python: run, load, score and draw, with the checks of the command line."""
