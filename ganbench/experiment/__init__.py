"""What was asked for, what follows from it, and what is stored: suite, plan, results."""
