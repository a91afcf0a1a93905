"""One training, from prepared rows to a finished adapter."""
