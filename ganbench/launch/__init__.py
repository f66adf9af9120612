"""Where jobs run: one process per job, resources, what a run records and shows."""
