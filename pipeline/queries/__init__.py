"""What `sql` asks: the text of statements, names, what is wrong with them, and the two engines that answer."""
