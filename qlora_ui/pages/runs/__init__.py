"""/activity: every run, and the page of each."""
