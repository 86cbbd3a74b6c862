// Particles: a unit is one of them. Neighbours along a chain and the entries of lists that it is in are read where they are; for pairs
// the others pass by in tiles of shared memory, in the order of their numbers.
typedef int Extra;  // the species of each particle, or (without a cut-off) the lists

__device__ inline double force(const real* x, Place unit, real (&v)[UNIT], real (&g)[UNIT], const real* p, const Extra* extra, i64) {
    const bool there = unit < UNITS;
    real own = 0;
#pragma unroll
    for (int k = 0; k < UNIT; ++k) {
        v[k] = there ? x[unit * UNIT + k] : real(0);
        g[k] = 0;
        if (there) own += site(v[k], g[k], p, unit * UNIT + k);
    }
    if (there) own += links(x, unit, v, p, g);
    double e = own;
#if PAIRS
    __shared__ real tile[THREADS * UNIT];
    __shared__ int kinds[THREADS];
    const int kind = TYPES > 1 && there ? extra[unit] : 0;
    for (i64 first = 0; first < UNITS; first += blockDim.x) {
        __syncthreads();
        const i64 other = first + threadIdx.x;
        if (other < UNITS) {
#pragma unroll
            for (int k = 0; k < UNIT; ++k) tile[threadIdx.x * UNIT + k] = x[other * UNIT + k];
            kinds[threadIdx.x] = TYPES > 1 ? extra[other] : 0;
        }
        __syncthreads();
        const int n = UNITS - first < blockDim.x ? int(UNITS - first) : int(blockDim.x);
        real part = 0;
        for (int j = 0; there && j < n; ++j)
            if (first + j != unit) part += pair(v, tile + j * UNIT, p + (kind * TYPES + kinds[j]) * ROW, p + TYPES * TYPES * ROW, g);
        e += 0.5 * double(part);
    }
#endif
    if (there) e += listed(x, unit, p, extra, g);
    return e;
}
