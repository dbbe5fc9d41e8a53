"""Deliveries: found, inspected, decided, logged, answered."""
