"""What a person is told when Bedrock does not answer: what AWS said, and what to do about it, in one line."""

from __future__ import annotations

import math

from gateway.aws.errors import ACCOUNT_ADVICE, AwsFault
from gateway.bedrock.arns import agent_alias_arn, knowledge_base_arn, model_arns
from gateway.bedrock.retrieval import reranking_arn
from gateway.catalog.entries import KnowledgeBase
from gateway.catalog.models import ModelTable
from gateway.catalog.specialists import AgentSpecialist

# AWS's own words are unbounded, and some of them quote the request back.
_LONGEST = 300


def refusal(fault: AwsFault, *, model_id: str, region: str, stream: bool, models: ModelTable) -> str:
    """One or two sentences, without the specialist's name: what failed, in AWS's words, and the mend."""
    return (
        f"{model_id} in {region} did not answer: {_said(fault)} ({fault.code}). "
        f"{_mend(fault, model_id=model_id, region=region, stream=stream, models=models)}"
    )


def retrieval_refusal(fault: AwsFault, *, base: KnowledgeBase, region: str) -> str:
    """As `refusal`, for a knowledge base that was not searched."""
    return (
        f"{base.knowledge_base_id} in {region} was not searched: {_said(fault)} ({fault.code}). "
        f"{_retrieval_mend(fault, base, region)}"
    )


def agent_refusal(fault: AwsFault, *, agent: AgentSpecialist, region: str) -> str:
    """As `refusal`, for an agent that did not answer."""
    return (
        f"agent {agent.agent_id}, alias {agent.agent_alias_id}, in {region} did not answer: {_said(fault)} "
        f"({fault.code}). {_agent_mend(fault, agent, region)}"
    )


_MAY_HAVE_ACTED = "Nothing was tried again, since the agent may have acted: see what it did before you ask again."


def _agent_mend(fault: AwsFault, agent: AgentSpecialist, region: str) -> str:
    """https://docs.aws.amazon.com/bedrock/latest/APIReference/API_agent-runtime_InvokeAgent.html"""
    if fault.code in ACCOUNT_ADVICE:
        return ACCOUNT_ADVICE[fault.code]
    match fault.code:
        case "AccessDeniedException":
            arn = agent_alias_arn(agent.agent_id, agent.agent_alias_id, region)
            mend = f"Allow the gateway's role bedrock:InvokeAgent on {arn}."
            if not agent.streaming:
                return f"{mend} Where it may, the agent's own service role lacks a permission."
            # What AWS says is the same: https://github.com/aws/aws-sdk-js-v3/issues/6712
            return (
                f"{mend} Where it may, the agent's own service role may not stream: allow that one "
                f"bedrock:InvokeModelWithResponseStream on its model, or write `streaming: false` in {agent.path}."
            )
        case "ResourceNotFoundException":
            return f"Check `agent_id` and `agent_alias_id` in {agent.path}, and that the agent is in {region}."
        case "ValidationException" | "ParamValidation":
            return f"Mend {agent.path}, or what was sent to it."
        case "DependencyFailedException":
            return (
                "Something that the agent uses failed: look at its action groups' Lambda functions, its knowledge "
                f"bases and its service role. {_MAY_HAVE_ACTED}"
            )
        case "ConflictException":
            return "Try again when the agent is prepared and no other call of its session is under way."
        case "ThrottlingException" | "ServiceQuotaExceededException":
            back = f"in {math.ceil(fault.retry_after)} s" if fault.retry_after else "in a moment"
            return f"Try again {back}, or ask AWS for a higher quota."
        case "ModelNotReadyException":
            return "Try again in a moment."
        case "Unreachable":
            return "Check the network between the gateway and Bedrock, proxies and endpoint URLs included."
    return _MAY_HAVE_ACTED


def _retrieval_mend(fault: AwsFault, base: KnowledgeBase, region: str) -> str:
    if fault.code in ACCOUNT_ADVICE:
        return ACCOUNT_ADVICE[fault.code]
    message = fault.message.lower()
    match fault.code:
        case "AccessDeniedException":
            allowed = f"bedrock:Retrieve on {knowledge_base_arn(base.knowledge_base_id, region)}"
            if base.guardrail is not None:
                allowed += ", and bedrock:ApplyGuardrail on its guardrail"
            if base.reranking is None:
                return f"Allow the gateway's role {allowed}."
            # Within Retrieve it is the service role that reranks:
            # https://docs.aws.amazon.com/bedrock/latest/userguide/rerank-prereq.html
            return (
                f"Allow the gateway's role {allowed}, and the knowledge base's service role bedrock:InvokeModel on "
                f"{reranking_arn(base.reranking, region)} and bedrock:Rerank on *."
            )
        case "ResourceNotFoundException":
            return f"Check `knowledge_base_id` in {base.path}, and that the knowledge base is in {region}."
        case "ValidationException" | "ParamValidation" if "search type" in message or "hybrid" in message:
            return f"Take `search_type` out of {base.path}: its vector store has no hybrid search."
        case "ValidationException" | "ParamValidation":
            return f"Mend {base.path}, or what was searched for."
        case "ThrottlingException" | "ServiceQuotaExceededException":
            back = f"in {math.ceil(fault.retry_after)} s" if fault.retry_after else "in a moment"
            return f"Try again {back}, or ask AWS for a higher quota."
        case "Unreachable":
            return "Check the network between the gateway and Bedrock, proxies and endpoint URLs included."
    return "Try again in a moment."


def _said(fault: AwsFault) -> str:
    said = fault.message if len(fault.message) <= _LONGEST else fault.message[:_LONGEST] + "..."
    return said.rstrip(".")


def _mend(fault: AwsFault, *, model_id: str, region: str, stream: bool, models: ModelTable) -> str:
    if fault.code in ACCOUNT_ADVICE:
        return ACCOUNT_ADVICE[fault.code]
    match fault.code:
        case "AccessDeniedException":
            # There is no action bedrock:Converse: Converse is authorized as InvokeModel, its stream likewise.
            action = "bedrock:InvokeModelWithResponseStream" if stream else "bedrock:InvokeModel"
            arns = ", ".join(model_arns(model_id, region, models))
            return f"Allow the gateway's role {action} on {arns}, and enable the model for the account in Bedrock."
        case "ResourceNotFoundException":
            return f"Check that the model id is right and that the model is offered in {region}."
        case "ValidationException" | "ParamValidation":
            return _validation_mend(fault.message.lower(), region)
        case "ThrottlingException" | "ServiceQuotaExceededException":
            back = f"in {math.ceil(fault.retry_after)} s" if fault.retry_after else "in a moment"
            return f"Try again {back}, give the specialist a fallback model, or ask AWS for a higher quota."
        case "ReadTimeout" | "ModelTimeoutException":
            return "Nothing was tried again, since the model may have been paid for already: ask for less at once."
        case "Unreachable":
            return "Check the network between the gateway and Bedrock, proxies and endpoint URLs included."
    return "Try again in a moment."


def _validation_mend(message: str, region: str) -> str:
    if "on-demand throughput" in message or "inference profile" in message:
        return "Use the id of an inference profile, which begins with us., eu., global. or the like."
    if "model identifier" in message:
        return f"Check the model id; `gateway lint` offers the nearest one known in {region}."
    if "too many input tokens" in message:  # Titan's embedding models
        return "Send a shorter input, or cut it into several."
    if "too long" in message or "context" in message or "maximum tokens" in message:
        return "Send a shorter input, lower max_tokens, or choose a model with a larger context window."
    if "temperature" in message or "top_p" in message:
        return "Take that parameter out of the specialist's file: this model refuses it."
    return "Mend the specialist's file, or what was sent to it."
