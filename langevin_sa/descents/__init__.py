"""Descents to local minima: of many replicas at once, inside bounds, and compiled."""
