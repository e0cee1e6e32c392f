"""Oracle, scripted expert and a small learner for the household."""
