"""Cooking games: read the recipe, gather and process its ingredients, prepare the meal and eat it."""
