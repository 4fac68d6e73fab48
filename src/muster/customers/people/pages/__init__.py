"""The pages of customers: finding one, everything known of one, what happened with one."""
