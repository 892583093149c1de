"""The worker of `kind: converse`, and what only it does: rounds, structured answers, conversations, InvokeModel."""
