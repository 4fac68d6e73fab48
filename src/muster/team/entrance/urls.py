"""Addresses that allauth knows by its own names. Of its other pages there are none."""

from __future__ import annotations

from django.urls import path

from muster.team.entrance import pages
from muster.team.pages import entrance

urlpatterns = [
    path("login", entrance.log_in, name="account_login"),
    path("login/code", pages.authenticate, name="mfa_authenticate"),
    path("login/passkey", pages.passkey_login, name="mfa_login_webauthn"),
    path("login/cancelled", pages.provider_cancelled, name="socialaccount_login_cancelled"),
    path("login/<slug:provider_id>/", pages.provider_login, name="openid_connect_login"),
    path("login/<slug:provider_id>/callback/", pages.provider_callback, name="openid_connect_callback"),
    path("profile/confirm/", pages.confirm_by_password, name="account_reauthenticate"),
    path("profile/confirm/code/", pages.confirm_by_code, name="mfa_reauthenticate"),
    path("profile/confirm/passkey/", pages.confirm_by_passkey, name="mfa_reauthenticate_webauthn"),
    path("profile/second-factors/", pages.second_factors, name="mfa_index"),
    path("profile/second-factors/app/", pages.activate_app, name="mfa_activate_totp"),
    path("profile/second-factors/app/remove/", pages.deactivate_app, name="mfa_deactivate_totp"),
    path("profile/second-factors/codes/", pages.show_codes, name="mfa_view_recovery_codes"),
    path("profile/second-factors/codes/renew/", pages.renew_codes, name="mfa_generate_recovery_codes"),
    path("profile/passkeys/", pages.second_factors, name="mfa_list_webauthn"),
    path("profile/passkeys/add/", pages.add_passkey, name="mfa_add_webauthn"),
    path("profile/passkeys/<int:pk>/rename/", pages.rename_passkey, name="mfa_edit_webauthn"),
    path("profile/passkeys/<int:pk>/remove/", pages.remove_passkey, name="mfa_remove_webauthn"),
]
