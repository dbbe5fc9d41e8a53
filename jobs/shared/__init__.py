"""What several commands share: the lock and guards around each, what they print, what they measure."""
