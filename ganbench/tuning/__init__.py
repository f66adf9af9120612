"""Equal tuning: what is searched, which trials are drawn, and the best score over their number."""
