"""The command line: `commands` has one function per command, the other modules do and print what it asks for."""
