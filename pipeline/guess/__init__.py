"""A `[[feeds]]` entry for a file that no one has described: what its bytes say, and what they cannot say. No Spark."""
