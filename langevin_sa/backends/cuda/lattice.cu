// Sites and bonds: a unit is four neighbouring sites.
typedef int Extra;  // none

__device__ inline double force(const real* x, i64 unit, real* v, real* g, const real* p, const Extra*, i64) {
    real e = 0;
#pragma unroll
    for (int k = 0; k < UNIT; ++k) {
        const i64 i = unit * UNIT + k;
        if (i < DIM) e += point(x, i, p, v[k], g[k]);
    }
    return e;
}
