"""The addresses of the team's pages."""

from django.urls import path

from muster.team import pages

app_name = "team"
urlpatterns = [
    path("setup", pages.setup, name="setup"),
    path("login", pages.log_in, name="login"),
    path("logout", pages.log_out, name="logout"),
]
