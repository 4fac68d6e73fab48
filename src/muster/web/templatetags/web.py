"""The only tags that write values (D-47): numbers, money, days and lists as the reader's language writes them."""

from __future__ import annotations

from django import template

register = template.Library()
