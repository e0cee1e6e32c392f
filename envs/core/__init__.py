"""The core: what all families share. Importing it costs nothing; its modules are imported where they are used."""
