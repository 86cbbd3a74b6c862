"""Ways of cooling side by side, judged by the same measures."""
