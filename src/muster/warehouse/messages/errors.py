"""What is wrong with a body of messages, or with one of them. Programs are told, in English as by any protocol.

MessageFault
  BodyUnreadable   the whole request says nothing; answered 400
  MessageRefused   one message has a verdict; the others of its request stand
"""

from __future__ import annotations


class MessageFault(Exception):
    """`code` is stable, `message` a sentence."""

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message)
        self.message = message
        self.code = code


class BodyUnreadable(MessageFault):
    """`invalid_json` or `batch_missing`."""


class MessageRefused(MessageFault):
    """`code` is the verdict."""
