"""Amazon Bedrock's operations through boto3, what they cost, and what to do when they are refused."""
