"""What a run printed and said."""
