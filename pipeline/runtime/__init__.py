"""What every job runs in: its context, the session and its JVM, the log, and messages for faults."""
