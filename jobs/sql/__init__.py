"""`sql`: how answers are printed, and the prompt."""
