"""Groups follow the data and the clock: whoever was touched is evaluated again, and nobody else (G-15)."""

from muster.groups.actions.following.follower import Follower, Sizes

__all__ = ["Follower", "Sizes"]
