"""A `[[feeds]]` entry for an unknown file: what its bytes say, and what they cannot say. No Spark."""
