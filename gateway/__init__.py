"""The gateway: the public service, which owns each call and drives the three stages."""
