"""Any TextWorld game, played by TextWorld itself behind our views; needs the extra `textworld`."""
