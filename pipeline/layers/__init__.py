"""The layers: the content of silver, gold and what is derived from them, and which days change."""
