"""Pages of privacy: what one customer allows, export, erasure, whom no message may reach, how long things are kept."""
