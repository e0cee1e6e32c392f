"""The domains of the desk."""
