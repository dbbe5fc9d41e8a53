"""Tables: what they are, who may touch them, how they are read, written and kept."""
