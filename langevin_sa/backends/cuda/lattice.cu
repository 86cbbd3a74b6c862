// Sites and bonds: a unit is four neighbouring sites.
typedef int Extra;  // none

__device__ inline real force(const real* x, Place unit, real (&v)[UNIT], real (&g)[UNIT], const real* p, const Extra*, i64) {
#ifdef ROWS
    return unit < UNITS ? sites(x, unit * UNIT, p, v, g) : 0;
#else
    real e = 0;
#pragma unroll
    for (int k = 0; k < UNIT; ++k) {
        const Place i = unit * UNIT + k;
        v[k] = g[k] = 0;
        if (i < DIM) e += point(x, i, p, v[k], g[k]);
    }
    return e;
#endif
}
