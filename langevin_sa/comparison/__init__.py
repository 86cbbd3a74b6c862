"""Methods side by side, judged by the same measures."""
