"""The layers: what silver, gold and what is derived from them hold, and which days change."""
