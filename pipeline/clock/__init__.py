"""Time: facts about zones, local times in Spark columns, single local times in Python."""
