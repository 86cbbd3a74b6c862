// Types and elementary functions that the texts of simd.py and of formulas are written in.
typedef unsigned int u32;
typedef unsigned long long u64;
typedef long long i64;

constexpr bool SINGLE = sizeof(real) == 4;

template <class A, class B> struct Two { A first; B second; };

// Numbers in vectors, from where or to where one may begin.
template <class T> struct Vector { typedef double2 type; };
template <> struct Vector<float> { typedef float4 type; };

template <int N, class T> __device__ inline void copy(const T* from, T* to) {
    typedef typename Vector<T>::type Some;
#pragma unroll
    for (int k = 0; k < N; k += sizeof(Some) / sizeof(T)) *(Some*)(to + k) = *(const Some*)(from + k);
}

__device__ inline real fma(real a, real b, real c) { return ::fma(a, b, c); }
__device__ inline real sqrt(real x) { return ::sqrt(x); }
__device__ inline real abs(real x) { return ::fabs(x); }
__device__ inline real floor(real x) { return ::floor(x); }
__device__ inline real asin(real x) { return ::asin(x); }
__device__ inline real acos(real x) { return ::acos(x); }
__device__ inline real atan(real x) { return ::atan(x); }
#define INFINITE __longlong_as_double(0x7ff0000000000000LL)
// Of the bits, which spares the lanes for float64.
__device__ inline bool finite(double x) { return (u32(__double_as_longlong(x) >> 32) & 0x7ff00000u) != 0x7ff00000u; }
__device__ inline bool finite(float x) { return ::fabs(x) < float(INFINITE); }

// A force, its noise or dx^2 with the factor that a mass makes of it: nothing without masses.
#ifdef MASSES
__device__ inline real weighed(real value, const real* factors, i64 d) { return factors[d] * value; }
#else
__device__ inline real weighed(real value, const real*, i64) { return value; }
#endif
