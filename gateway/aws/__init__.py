"""The one boto3 Session, its clients and threads, and AWS's errors as ours."""
