"""Sends notices, by the standard library: to a webhook, by mail. Each within a time limit, whoever is asked."""

from __future__ import annotations

import json
import smtplib
import ssl
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib import request as web
from urllib.error import HTTPError

from pipeline.attention import notice as notices
from pipeline.config.notify import secret

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.attention.notice import Notice
    from pipeline.config.notify import Mail, Notify


@dataclass(frozen=True)
class Channel:
    """A way to tell someone: its name, and what sends a notice or raises."""

    name: str
    send: Callable[[Notice], None]


def channels(wanted: Notify) -> list[Channel]:
    """The ways that the configuration names."""
    found = []
    if wanted.has_webhook:
        found.append(Channel("webhook", lambda notice: within(wanted.timeout_seconds, lambda: _post(wanted, notice))))
    if mail := wanted.mail:
        seconds = wanted.timeout_seconds
        found.append(Channel("mail", lambda notice: within(seconds, lambda: _mail(mail, seconds, notice))))
    return found


def within(seconds: float, action: Callable[[], None]) -> None:
    """Do it; TimeoutError where it takes longer: a socket's own limit is for each byte, and not for a name server."""
    problems: list[Exception] = []

    def act() -> None:
        try:
            action()
        except Exception as problem:  # noqa: BLE001 - raised in the caller's thread
            problems.append(problem)

    acting = threading.Thread(target=act, name="notice", daemon=True)
    acting.start()
    acting.join(seconds)
    if acting.is_alive():
        message = f"not done within {seconds:g} s"
        raise TimeoutError(message)
    if problems:
        raise problems[0]


class _NoRedirect(web.HTTPRedirectHandler):
    """A redirect is an error: the token would go where it leads."""

    def redirect_request(self, *_: Any) -> None:  # noqa: ANN401 - whatever the library gives
        return None


def _post(wanted: Notify, notice: Notice) -> None:
    """One POST of JSON; HTTPError where the answer is not a success."""
    body = notices.for_slack(notice) if wanted.format == "slack" else notices.for_programs(notice)
    headers = {"Content-Type": "application/json", "User-Agent": "Meterlake"}
    if wanted.token_env:
        headers["Authorization"] = f"Bearer {secret('notify.token_env', wanted.token_env)}"
    request = web.Request(wanted.webhook(), json.dumps(body).encode(), headers, method="POST")  # noqa: S310 - http only
    try:
        web.build_opener(_NoRedirect).open(request, timeout=wanted.timeout_seconds).close()
    except HTTPError as answer:
        answer.close()
        raise


def _mail(mail: Mail, seconds: float, notice: Notice) -> None:
    """One mail to all addresses; an error where the server refuses it, or one of them."""
    context = ssl.create_default_context()
    us = "localhost"  # for EHLO, so that no name server is asked what we are called
    server = (
        smtplib.SMTP_SSL(mail.host, mail.port, us, timeout=seconds, context=context)
        if mail.security == "tls"
        else smtplib.SMTP(mail.host, mail.port, us, timeout=seconds)
    )
    with server:
        if mail.security == "starttls":
            server.starttls(context=context)
        if mail.user and mail.password_env:
            server.login(mail.user, secret("notify.mail.password_env", mail.password_env))
        refused = server.send_message(notices.for_mail(notice, mail.sender, mail.to))
    if refused:
        raise smtplib.SMTPRecipientsRefused(refused)
