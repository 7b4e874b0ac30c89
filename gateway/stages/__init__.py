"""The stages as a call sees them: replicas, streams, and what happens when one is lost."""
