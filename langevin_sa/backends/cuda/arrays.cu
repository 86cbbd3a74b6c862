// Energy and gradient come from the user's own functions of CuPy arrays.
typedef real Extra;  // the gradient

__device__ inline double force(const real* x, i64 unit, real* v, real* g, const real*, const Extra* gradient, i64 r) {
#pragma unroll
    for (int k = 0; k < UNIT; ++k) {
        const i64 i = unit * UNIT + k;
        v[k] = i < DIM ? x[i] : real(0);
        g[k] = i < DIM ? gradient[r * DIM + i] : real(0);
    }
    return 0;
}
