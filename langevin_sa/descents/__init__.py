"""Descents to local minima by quasi-Newton steps, one for each way in which energies come.

`batched` : many replicas of a potential at once, one call of its functions for all; what annealing
    and comparisons ask where points lead.
`bounded` : one point of any function, inside bounds and also over kinks; the searches of
    `lsa.minimize`.
`compiled` : one point of a potential that is compiled, all of it in machine code; the searches for
    clusters.

All three have the two loops of limited memory (Nocedal, Math. Comput. 35, 773 (1980)) in their own
words: over arrays of replicas, each with pairs of its own that may be void; over a list of pairs,
divided by s.y; and over a ring of pairs, multiplied by 1/(s.y), in numba. One function for two of
them would round otherwise, and the same seed would end in other bits.
"""
