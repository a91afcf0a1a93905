"""/settings: how a person likes the app, what it keeps, and what this machine can do."""
