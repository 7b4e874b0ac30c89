"""The stage services: thin processes around the stages of a model pack."""
