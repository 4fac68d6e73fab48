"""What can be wrong with a request about webhooks.

MusterError
  WebhookError          value_not_allowed, webhook_limit, rotation_under_way, confirm_mismatch
    WebhookUnknown      webhook_unknown, delivery_unknown
    AddressRefused      webhook_address_refused: not an address that Muster sends to
    NotSendable         webhook_inactive, delivery_gone: there is nobody to send to, or nothing to send any more
"""

from __future__ import annotations

from muster.kernel.errors import MusterError


class WebhookError(MusterError):
    code = "value_not_allowed"


class WebhookUnknown(WebhookError):
    code = "webhook_unknown"


class AddressRefused(WebhookError):
    code = "webhook_address_refused"


class NotSendable(WebhookError):
    code = "webhook_inactive"
