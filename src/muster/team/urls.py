"""The addresses of the team's pages."""

from django.urls import path

from muster.team.pages import entrance

app_name = "team"
urlpatterns = [
    path("setup", entrance.setup, name="setup"),
    path("invitation", entrance.accept, name="accept"),
    path("login", entrance.log_in, name="login"),
    path("logout", entrance.log_out, name="logout"),
    path("profile/", entrance.log_in, name="profile"),
]
