"""One search of a knowledge base: what a caller may ask, what Bedrock is asked, and how it reads in a result."""
