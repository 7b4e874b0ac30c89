"""Broken input of every kind, made from good input: a fixed number of seeded cases."""
