"""One call: what is heard, what flows between the stages, what is sent and when."""
