"""Networks, one a file: a params dataclass and a module each. Torch is the reference backend."""
