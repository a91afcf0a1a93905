"""The data step of /train: choosing, understanding and mending data, and the tokens that come of it."""
