"""The worker of `kind: agent`, and what an agent hands back to its caller."""
