"""The ARNs that a refused role is told to allow."""

from __future__ import annotations

from gateway.bedrock.arns import model_arns
from gateway.catalog.models import ModelTable

TABLE = ModelTable.load()


def test_a_bare_model_is_one_arn_of_the_region() -> None:
    assert model_arns("amazon.nova-micro-v1:0", "eu-west-1", TABLE) == (
        "arn:aws:bedrock:eu-west-1::foundation-model/amazon.nova-micro-v1:0",
    )


def test_a_geographic_profile_is_itself_and_the_model_in_each_of_its_regions() -> None:
    profile, *models = model_arns("us.anthropic.claude-haiku-4-5-20251001-v1:0", "us-east-1", TABLE)
    name = "anthropic.claude-haiku-4-5-20251001-v1:0"
    assert profile == f"arn:aws:bedrock:us-east-1:ACCOUNT_ID:inference-profile/us.{name}"
    assert f"arn:aws:bedrock:us-east-1::foundation-model/{name}" in models
    assert f"arn:aws:bedrock:us-west-2::foundation-model/{name}" in models
    assert all(arn.startswith(("arn:aws:bedrock:us-", "arn:aws:bedrock:ca-")) for arn in models)


def test_a_global_profile_is_itself_the_regional_model_and_the_one_without_a_region() -> None:
    name = "anthropic.claude-haiku-5-5"
    assert model_arns(f"global.{name}", "eu-west-1", TABLE) == (
        f"arn:aws:bedrock:eu-west-1:ACCOUNT_ID:inference-profile/global.{name}",
        f"arn:aws:bedrock:eu-west-1::foundation-model/{name}",
        f"arn:aws:bedrock:::foundation-model/{name}",
    )


def test_govcloud_has_a_partition_of_its_own() -> None:
    (arn,) = model_arns("amazon.titan-text-lite-v1", "us-gov-west-1", TABLE)
    assert arn.startswith("arn:aws-us-gov:bedrock:us-gov-west-1::")


def test_an_arn_is_itself() -> None:
    arn = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc"
    assert model_arns(arn, "us-east-1", TABLE) == (arn,)
