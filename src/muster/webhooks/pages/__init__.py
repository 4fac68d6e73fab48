"""Settings > Webhooks: who is told what, what was sent, and sending it again."""
