"""The laws of the package, measured on the machine, backend and dtype at hand and compared with the
exact values.
"""
