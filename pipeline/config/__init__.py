"""What the configuration says, checked."""
