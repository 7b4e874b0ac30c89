"""What operators ask of a running cluster: its load, more replicas, fewer, an empty one."""
