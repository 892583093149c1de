"""InvokeModel and InvokeModelWithResponseStream: each family of models with a body and an answer of its own.

What these look like: https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters.html
"""

from gateway.local.invoke.operation import invoke_model, invoke_model_with_response_stream

__all__ = ["invoke_model", "invoke_model_with_response_stream"]
