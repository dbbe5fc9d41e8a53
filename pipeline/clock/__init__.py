"""Time: facts about zones, local times as columns of Spark, single local times in Python."""
