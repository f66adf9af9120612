"""A comparison from what is asked to its report: plan, runs, report, for all that start one."""
