"""Generated stubs of `protos/ditto/v1`; regenerate with `make protos`."""
