// Particles: a unit is one of them, and the others pass by in tiles of shared memory, in the order of their numbers.
typedef int Extra;  // the species of each particle

__device__ inline double force(const real* x, i64 unit, real* v, real* g, const real* p, const Extra* species, i64) {
    __shared__ real tile[THREADS * UNIT];
    __shared__ int kinds[THREADS];
    const bool there = unit < UNITS;
    real own = 0;
#pragma unroll
    for (int k = 0; k < UNIT; ++k) {
        v[k] = there ? x[unit * UNIT + k] : real(0);
        g[k] = 0;
        if (there) own += site(v[k], g[k], p, unit * UNIT + k);
    }
    const int kind = TYPES > 1 && there ? species[unit] : 0;
    double e = own;
    for (i64 first = 0; first < UNITS; first += blockDim.x) {
        __syncthreads();
        const i64 other = first + threadIdx.x;
        if (other < UNITS) {
#pragma unroll
            for (int k = 0; k < UNIT; ++k) tile[threadIdx.x * UNIT + k] = x[other * UNIT + k];
            kinds[threadIdx.x] = TYPES > 1 ? species[other] : 0;
        }
        __syncthreads();
        const int n = UNITS - first < blockDim.x ? int(UNITS - first) : int(blockDim.x);
        real part = 0;
        for (int j = 0; there && j < n; ++j)
            if (first + j != unit) part += pair(v, tile + j * UNIT, p + (kind * TYPES + kinds[j]) * ROW, p + TYPES * TYPES * ROW, g);
        e += 0.5 * double(part);
    }
    return e;
}
