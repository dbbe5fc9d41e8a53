"""The configuration of the read API."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from pipeline.config.values import Origin, Strict, TokenVariable, is_loopback


class Api(Strict):
    """The read API of `serve`: where it listens, who may ask, and how much at once."""

    host: str = Field(default="127.0.0.1", min_length=1)
    port: int = Field(default=8321, ge=0, le=65535)
    # The variable that holds the bearer token; without one the API can only be reached from this machine.
    token_env: TokenVariable | None = None
    cors_origins: tuple[Origin, ...] = ()
    max_rows: int = Field(default=10_000, gt=0, le=1_000_000)
    max_days: int = Field(default=400, gt=0)
    max_queries: int = Field(default=8, gt=0)
    # Memory for readings that were read once, so that their files need not be read again.
    cache_megabytes: int = Field(default=512, ge=0)

    @model_validator(mode="after")
    def _open_only_with_a_token(self) -> Self:
        if self.token_env is None and not is_loopback(self.host):
            message = (
                f"host = {self.host!r} lets other machines ask: name the variable of a bearer token in token_env, "
                "or use 127.0.0.1"
            )
            raise ValueError(message)
        return self
