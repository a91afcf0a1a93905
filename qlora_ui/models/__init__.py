"""Models that lie on this machine, as far as their files tell without the libraries that load them."""
