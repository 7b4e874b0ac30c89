"""How many calls a cluster carries, and what each of them costs: the parts of `ditto bench`."""
