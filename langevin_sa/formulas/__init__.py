"""Formulas: parsed, differentiated once by sympy, printed as source for every target."""
