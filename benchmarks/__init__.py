"""The scripts behind every figure in the README; each prints what it measured and asserts nothing."""
