"""A continuous double auction: limit order books in which traders, a market maker and a regulator act."""
