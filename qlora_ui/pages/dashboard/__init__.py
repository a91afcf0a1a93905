"""/: what runs, what needs attention, and the guide of the first day."""
