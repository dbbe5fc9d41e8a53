"""Tables: what they are, who may use them, how they are read, written and maintained."""
