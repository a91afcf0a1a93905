"""What goes on in the browser beside the page itself."""
