"""The page of what came in from an app."""
