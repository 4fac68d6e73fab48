"""Words about groups that templates say."""

from __future__ import annotations

from django import template

from muster.groups.pages.words import group_state

register = template.Library()
register.simple_tag(group_state)
