"""Whether all that a configuration names is there and usable, before the first night. Nothing is written, no JVM."""
