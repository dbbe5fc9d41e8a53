"""The configuration of notices: who is told what needs attention."""

from __future__ import annotations

import os
import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from pipeline.config.values import Strict, TokenVariable, Url, is_loopback
from pipeline.errors import ConfigurationError


def _address(text: str) -> str:
    """A bare mail address: a header is made of it."""
    if not re.fullmatch(r"[^\s@<>,;:\"()\[\]\\]+@[A-Za-z0-9.-]+", text, re.ASCII):
        message = f"{text!r} is not a mail address: write it as 'oncall@example.org', without a name"
        raise ValueError(message)
    return text


Address = Annotated[str, AfterValidator(_address)]


class Mail(Strict):
    """The mail server that takes notices, and from whom to whom they go."""

    host: Annotated[str, Field(pattern=r"^[A-Za-z0-9.:-]+$")]
    port: int = Field(default=587, gt=0, le=65535)
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: str | None = Field(default=None, min_length=1)
    password_env: TokenVariable | None = None
    sender: Address
    to: tuple[Address, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _signs_in_safely(self) -> Self:
        if (self.user is None) != (self.password_env is None):
            message = "user and password_env go together: give both, or none where the server asks for none"
            raise ValueError(message)
        if self.user and self.security == "none" and not is_loopback(self.host):
            message = "security = 'none' would send the password unencrypted: use 'starttls' or 'tls'"
            raise ValueError(message)
        return self


class Notify(Strict):
    """Where notices go: to a webhook, by mail, or both."""

    # The webhook, or the variable that holds its address where that is a secret, as Slack's is.
    url: Url | None = None
    url_env: TokenVariable | None = None
    # The variable that holds a bearer token for it.
    token_env: TokenVariable | None = None
    # slack: {"text": …}, which Mattermost and others take too; json: every item with its fields.
    format: Literal["slack", "json"] = "slack"
    mail: Mail | None = None
    # A notice may take so long, all in all.
    timeout_seconds: float = Field(default=10, gt=0, le=60)

    @model_validator(mode="after")
    def _goes_somewhere(self) -> Self:
        if self.url and self.url_env:
            message = "give either url or url_env, not both"
            raise ValueError(message)
        if not self.has_webhook and (lonely := sorted({"token_env", "format"} & self.model_fields_set)):
            message = f"{', '.join(lonely)} without url or url_env: name the webhook, or leave them out"
            raise ValueError(message)
        if not self.has_webhook and self.mail is None:
            message = "has no receiver: give url, url_env or a table [notify.mail]"
            raise ValueError(message)
        return self

    @property
    def has_webhook(self) -> bool:
        """Whether notices go to a webhook."""
        return bool(self.url or self.url_env)

    def webhook(self) -> str:
        """Its address. ConfigurationError if the variable holds none; the message does not quote it."""
        if self.url:
            return self.url
        found = secret("notify.url_env", str(self.url_env))
        if not re.fullmatch(r"https?://[!-~]+", found):
            raise ConfigurationError("notify.url_env", f"the variable {self.url_env} does not hold a URL")
        return found


def secret(key: str, variable: str) -> str:
    """What the variable holds; ConfigurationError if that is nothing."""
    found = os.environ.get(variable, "")
    if not found:
        raise ConfigurationError(key, f"the environment variable {variable} is empty or not set")
    return found
