"""How fast could it be? What a step has to compute, and what the machine can compute a second."""
