"""A page to teach with: one HTML file, its template and scripts, and what is worked out for it
here.
"""
