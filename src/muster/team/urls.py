"""The addresses of the team's pages."""

from django.urls import path

from muster.team.pages import entrance, members, profile, tokens

app_name = "team"
urlpatterns = [
    path("setup", entrance.setup, name="setup"),
    path("invitation", entrance.accept, name="accept"),
    path("login", entrance.log_in, name="login"),
    path("logout", entrance.log_out, name="logout"),
    path("profile/", profile.profile, name="profile"),
    path("profile/log-out-everywhere", profile.log_out_everywhere, name="log_out_everywhere"),
    path("profile/sessions/<slug:session_id>/end", profile.close_session, name="close_session"),
    path("settings/team/", members.team, name="members"),
    path("settings/team/invite/", members.invite, name="invite"),
    path("settings/team/invitations/<slug:invitation_id>/revoke", members.revoke_invitation, name="revoke_invitation"),
    path("settings/team/<slug:member_id>/", members.member, name="member"),
    path("settings/tokens/", tokens.tokens, name="tokens"),
    path("settings/tokens/new/", tokens.new_token, name="new_token"),
    path("settings/tokens/<slug:token_id>/revoke", tokens.revoke_token, name="revoke_token"),
]
