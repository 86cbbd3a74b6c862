"""Runs: what is asked, checked (`request`), moved (`run`), read (`records`) and handed back
(`results`).
"""
