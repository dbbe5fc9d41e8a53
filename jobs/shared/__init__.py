"""What several commands share: the lock and guards around each, their output, their metrics."""
