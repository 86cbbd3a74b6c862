"""Replica exchange: walks at several temperatures whose replicas change places.

`swaps` has the rule, `ladder` the walks under way, `rungs` chooses temperatures, `reweighting` puts
the samples of all of them together, `driver` is the front door.
"""
