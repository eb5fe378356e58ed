"""Translation of files on Ray: shards of an input, replicas of an engine, and one output."""
