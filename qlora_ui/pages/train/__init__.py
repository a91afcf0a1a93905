"""/train: from a model and a file to a run that is started."""
