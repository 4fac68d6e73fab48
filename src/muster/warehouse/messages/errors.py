"""What is wrong with a body of messages, or with one of them.

BodyUnreadable   the whole request says nothing; answered 400
MessageRefused   one message has a verdict; the others of its request stand
"""

from __future__ import annotations

from muster.kernel.errors import MusterError


class BodyUnreadable(MusterError):
    """`invalid_json` or `batch_missing`."""


class MessageRefused(MusterError):
    """`code` is the verdict."""
