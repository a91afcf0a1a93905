"""/help: the glossary, the keys and the docs."""
