"""What a person types into and chooses from."""
