"""The base model and the adapter on it: how they are held, loaded and saved."""
