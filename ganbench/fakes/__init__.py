"""Generated images of anyone: read from a folder, an array or a generator's file, and scored."""
