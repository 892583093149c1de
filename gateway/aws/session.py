"""The one boto3 Session of the process, its clients, and the threads on which they wait for AWS.

boto3 clients are safe to share between threads, a Session is not, and a further Session costs a hundred
milliseconds; so there is one of each, made here and nowhere else.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from typing import Any

import boto3
from botocore.config import Config
from botocore.configprovider import BOTOCORE_DEFAUT_SESSION_VARIABLES, ConfigValueStore, ConstantProvider
from botocore.exceptions import BotoCoreError, ProfileNotFound
from botocore.session import Session as BotocoreSession

from gateway.aws.blobs import splice_into
from gateway.aws.connections import watch
from gateway.aws.errors import AwsSetupError

MAX_CALLS = 256
"""Calls to AWS under way at once in this process; a further one waits for a thread."""

MAX_LOOKUPS = 64
"""Of them searches and other calls that answer at once."""

_CONNECT_TIMEOUT = 5.0
# A model may think for minutes before its first token. The specialist's own timeout ends a call sooner, by closing
# its stream; this bound only frees the thread of a call that was given up before AWS had answered at all.
_READ_TIMEOUT = 900.0

LOCAL_REGION = "us-east-1"
"""The region of the endpoint that stands in for AWS."""


class Aws:
    """A region, or the endpoint on loopback that stands in for AWS, and everything needed to call it."""

    def __init__(self, *, region: str | None = None, local_url: str | None = None) -> None:
        """`region` overrides what the environment says; `local_url` leaves the environment out altogether.

        Raises AwsSetupError when the environment names a profile that does not exist, or no region at all.
        """
        self.local = local_url is not None
        try:
            self._session = _local_session() if self.local else boto3.Session(region_name=region)
        except ProfileNotFound as error:
            raise AwsSetupError(f"{error}: AWS_PROFILE must name a profile of ~/.aws/config.") from None
        except (BotoCoreError, ValueError) as error:
            raise AwsSetupError(f"The AWS configuration of this machine cannot be read: {error}") from None
        # Every SDK but Python's reads AWS_REGION, which is also the one that ECS and Lambda set.
        environment = os.environ.get("AWS_REGION") or self._session.region_name
        found: str | None = region or (LOCAL_REGION if self.local else environment)
        if not found:
            raise AwsSetupError(
                "No AWS region is set: write `region: us-east-1` in gateway.yaml, or set AWS_REGION, "
                "or try --local, which needs no AWS."
            )
        self.region = found
        self._local_url = local_url
        self._clients: dict[str, Any] = {}
        self._lock = threading.Lock()
        self.threads = ThreadPoolExecutor(MAX_CALLS, thread_name_prefix="bedrock")
        # Threads of their own for calls that take a moment: slow models may hold all of the others.
        self.lookups = ThreadPoolExecutor(MAX_LOOKUPS, thread_name_prefix="lookup")

    def client(self, service: str) -> Any:
        """The process's client of a service such as `bedrock-runtime`, made on first use.

        Raises AwsSetupError for a region, endpoint URL or other setting that botocore refuses.
        """
        with self._lock:
            if service not in self._clients:
                make: Callable[..., Any] = self._session.client  # the stubs' overloads name 400 services
                config = _config(local=self.local)
                try:
                    client = make(service, region_name=self.region, endpoint_url=self._local_url, config=config)
                except (BotoCoreError, ValueError) as error:
                    raise AwsSetupError(f"The AWS configuration of this machine cannot be used: {error}") from None
                self._clients[service] = client
                watch(client)
                splice_into(client)
            return self._clients[service]

    def close(self) -> None:
        """Give up the threads without waiting for calls that nobody waits for."""
        for threads in (self.threads, self.lookups):
            threads.shutdown(wait=False, cancel_futures=True)
        for client in self._clients.values():
            client.close()


def _config(*, local: bool) -> Config:
    common = Config(
        # Retries are the consultation's: botocore would retry a read timeout, and so pay for a second generation.
        retries={"total_max_attempts": 1},
        max_pool_connections=MAX_CALLS,
        connect_timeout=_CONNECT_TIMEOUT,
        read_timeout=_READ_TIMEOUT,
        tcp_keepalive=True,
        # botocore otherwise builds this header anew for each call, a quarter of its share of the CPU.
        user_agent=f"specialist-gateway/{version('specialist-gateway')}",
    )
    if not local:
        return common
    # A bearer token of the developer's would be sent unsigned, and HTTP_PROXY would carry loopback traffic away.
    merged: Config = common.merge(
        Config(signature_version="v4", proxies={}, use_fips_endpoint=False, use_dualstack_endpoint=False)
    )
    return merged


def _local_session() -> boto3.Session:
    """A Session that has botocore's defaults and reads neither AWS variables nor ~/.aws."""
    session = BotocoreSession()
    constants = {name: ConstantProvider(row[2]) for name, row in BOTOCORE_DEFAUT_SESSION_VARIABLES.items()}
    constants["config_file"] = constants["credentials_file"] = ConstantProvider(os.devnull)
    session.register_component("config_store", ConfigValueStore(mapping=constants))
    return boto3.Session(
        aws_access_key_id="local",
        aws_secret_access_key="local",  # noqa: S106 - the endpoint on loopback checks that a signature is there, not whose
        region_name=LOCAL_REGION,
        botocore_session=session,
    )
