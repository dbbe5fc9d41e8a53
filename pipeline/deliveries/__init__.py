"""Deliveries: found, looked at, decided, logged, answered."""
