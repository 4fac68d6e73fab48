"""The team keeps the doors of every room below and above it."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class TeamConfig(AppConfig):
    name = "muster.team"
    label = "team"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from django.contrib.auth.signals import user_logged_in, user_logged_out

        from muster.team.actions.preferences import hide_columns
        from muster.team.actions.sessions import begin_session, end_session
        from muster.team.entrance.trail import listen
        from muster.team.policies import can, check_scope
        from muster.team.queries import has_colleagues, preferences_of, principal_of
        from muster.web.columns import register_keeper
        from muster.web.hooks import (
            Doorkeeper,
            FirstStep,
            register_doorkeeper,
            register_overview,
            register_page,
            register_preferences,
        )

        register_overview(step=FirstStep(50, _("Invite a team member"), "team:members", "team:admin", has_colleagues))
        listen()
        user_logged_in.connect(begin_session)
        user_logged_out.connect(end_session)
        register_doorkeeper(Doorkeeper(principal_of, check_scope, can))
        register_preferences(preferences_of)
        register_keeper(hide_columns)
        register_page(902, _("Settings"), _("Team and roles"), "team:members", icon="users-group", scope="team:admin")
        register_page(904, _("Settings"), _("API tokens"), "team:tokens", icon="key", scope="team:admin")
        register_page(990, _("Settings"), _("My profile"), "team:profile", icon="user", scope="")
