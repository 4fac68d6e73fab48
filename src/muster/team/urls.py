"""The addresses of the team's pages, and those that allauth knows by its own names."""

from django.urls import path

from muster.team.pages import entrance, factors, members, profile, tokens

app_name = "team"
urlpatterns = [
    path("setup", entrance.setup, name="setup"),
    path("invitation", entrance.accept, name="accept"),
    path("password", entrance.new_password, name="new_password"),
    path("login", entrance.log_in, name="login"),
    path("logout", entrance.log_out, name="logout"),
    path("profile/", profile.profile, name="profile"),
    path("profile/log-out-everywhere", profile.log_out_everywhere, name="log_out_everywhere"),
    path("profile/sessions/<slug:session_id>/end", profile.close_session, name="close_session"),
    path("settings/team/", members.team, name="members"),
    path("settings/team/invite/", members.invite, name="invite"),
    path("settings/team/invitations/<slug:invitation_id>/revoke", members.revoke_invitation, name="revoke_invitation"),
    path("settings/team/<slug:member_id>/password-link", members.password_link, name="password_link"),
    path("settings/team/<slug:member_id>/", members.member, name="member"),
    path("settings/tokens/", tokens.tokens, name="tokens"),
    path("settings/tokens/new/", tokens.new_token, name="new_token"),
    path("settings/tokens/<slug:token_id>/revoke", tokens.revoke_token, name="revoke_token"),
]

# Without the room's name before theirs. Of allauth's other pages there are none.
sign_in = [
    path("login", entrance.log_in, name="account_login"),
    path("login/code", factors.authenticate, name="mfa_authenticate"),
    path("login/passkey", factors.passkey_login, name="mfa_login_webauthn"),
    path("login/cancelled", factors.provider_cancelled, name="socialaccount_login_cancelled"),
    path("login/<slug:provider_id>/", factors.provider_login, name="openid_connect_login"),
    path("login/<slug:provider_id>/callback/", factors.provider_callback, name="openid_connect_callback"),
    path("profile/confirm/", factors.confirm_by_password, name="account_reauthenticate"),
    path("profile/confirm/code/", factors.confirm_by_code, name="mfa_reauthenticate"),
    path("profile/confirm/passkey/", factors.confirm_by_passkey, name="mfa_reauthenticate_webauthn"),
    path("profile/second-factors/", factors.second_factors, name="mfa_index"),
    path("profile/second-factors/app/", factors.activate_app, name="mfa_activate_totp"),
    path("profile/second-factors/app/remove/", factors.deactivate_app, name="mfa_deactivate_totp"),
    path("profile/second-factors/codes/", factors.show_codes, name="mfa_view_recovery_codes"),
    path("profile/second-factors/codes/renew/", factors.renew_codes, name="mfa_generate_recovery_codes"),
    path("profile/passkeys/", factors.second_factors, name="mfa_list_webauthn"),
    path("profile/passkeys/add/", factors.add_passkey, name="mfa_add_webauthn"),
    path("profile/passkeys/<int:pk>/rename/", factors.rename_passkey, name="mfa_edit_webauthn"),
    path("profile/passkeys/<int:pk>/remove/", factors.remove_passkey, name="mfa_remove_webauthn"),
]
