"""Methods of `compare` that are no choice of (rho, lr, s): optimizers of machine learning, and the
samplers that the paper names beside Langevin integrators.

Each is a `Rule`, which proposes an update and may accept or refuse it; `SGD` alone is the recursion
in other words.
"""

from .continuous import ContinuousTempering
from .first_order import SGD, Adadelta, AdaGrad, Adam, NAdam, RMSprop, StepRule
from .rule import Moment, Point, Rule
from .samplers import GHMC, MALA, SGLD, SGNHT, Metropolis

__all__ = [
    "GHMC",
    "MALA",
    "SGD",
    "SGLD",
    "SGNHT",
    "AdaGrad",
    "Adadelta",
    "Adam",
    "ContinuousTempering",
    "Metropolis",
    "Moment",
    "NAdam",
    "Point",
    "RMSprop",
    "Rule",
    "StepRule",
]
