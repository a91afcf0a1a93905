"""From the names that a person gives to the files and tables that rows come from."""
