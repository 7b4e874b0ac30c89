"""The `ditto` pack: the published networks, loadable from the released files."""
