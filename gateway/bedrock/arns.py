"""The ARNs that a model id stands for, as IAM policies must name them."""

from __future__ import annotations

from gateway.catalog.models import ModelTable

ACCOUNT = "ACCOUNT_ID"
"""Stands where an AWS account's number belongs and is not known."""


def model_arns(model_id: str, region: str, models: ModelTable) -> tuple[str, ...]:
    """What a role must be allowed to invoke for this model id, called in this region.

    A cross-region inference profile needs itself and the model in each region it may route to; a `global.` one
    also the model's ARN without a region.
    https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-prereq.html
    """
    if model_id.startswith("arn:"):
        return (model_id,)
    partition = partition_of(region)
    model = models.find(model_id)
    geography, _, bare = model_id.partition(".")
    if model is None or geography not in model.profiles:
        return (f"arn:{partition}:bedrock:{region}::foundation-model/{model_id}",)
    regions = model.profiles[geography] or (region,)
    profile = f"arn:{partition}:bedrock:{region}:{ACCOUNT}:inference-profile/{model_id}"
    if geography == "global":
        regions = (region, "")
    return (profile, *(f"arn:{partition}:bedrock:{name}::foundation-model/{bare}" for name in regions))


def partition_of(region: str) -> str:
    """The partition that a region belongs to, which its ARNs begin with."""
    return "aws-us-gov" if region.startswith("us-gov-") else "aws-cn" if region.startswith("cn-") else "aws"


def agent_alias_arn(agent_id: str, agent_alias_id: str, region: str) -> str:
    """What a role must be allowed to `bedrock:InvokeAgent` on."""
    return f"arn:{partition_of(region)}:bedrock:{region}:{ACCOUNT}:agent-alias/{agent_id}/{agent_alias_id}"


def knowledge_base_arn(knowledge_base_id: str, region: str) -> str:
    """What a role must be allowed to `bedrock:Retrieve` from."""
    if knowledge_base_id.startswith("arn:"):
        return knowledge_base_id
    return f"arn:{partition_of(region)}:bedrock:{region}:{ACCOUNT}:knowledge-base/{knowledge_base_id}"
