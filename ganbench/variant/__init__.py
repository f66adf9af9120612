"""What the author of a variant uses, and how a variant is found."""
