"""What `compare` hands back; the home of these types is `langevin_sa.comparison.outcomes`."""

from __future__ import annotations

from .comparison.outcomes import Comparison, Minimum, Outcome

__all__ = ["Comparison", "Minimum", "Outcome"]
