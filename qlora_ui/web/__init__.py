"""HTTP around the pages: the guard, the sign-in, and the interface for programs."""
