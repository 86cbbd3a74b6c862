// What simd.py says about the bits of float64, for float32.
__device__ inline real exp(real x) { return ::expf(x); }
__device__ inline real expm1(real x) { return ::expm1f(x); }
__device__ inline real log(real x) { return ::logf(x); }

__device__ inline Two<real, i64> _reduce(real x) {  // x - n*pi/2 for |x| < 1e5, pi/2 in three parts; CUDA's own needs local memory
    real t = fma(x, 0.636619772f, 12582912.0f), n = t - 12582912.0f;
    return {fma(n, 1.71512451e-15f, fma(n, 4.37113883e-08f, fma(n, -1.57079637f, x))), __float_as_int(t)};
}

__device__ inline real _log_word(i64 a) {  // near 1 the distance from 1 is what float32 can tell
    bool low = a < 0x80000000LL;
    real u = fma(real(u32(low ? a : 0xffffffffLL - a)), 2.32830644e-10f, 1.16415322e-10f);
    return low ? ::logf(u) : ::log1pf(-u);
}
