"""Calls that go on at another gateway."""
