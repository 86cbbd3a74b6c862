// The numbers of a unit: in vectors where all begin at such places, and of the last unit those that there are.
#if DIM < 1LL << 30
typedef int Place;
#else
typedef i64 Place;
#endif
constexpr bool WHOLE = UNITS * UNIT == DIM, VECTORS = UNIT == 4 && ALIGNED == 4;

template <class T> __device__ inline void take(const T* from, Place i, T (&into)[UNIT]) {
    if constexpr (VECTORS) {
        copy<UNIT>(from + i, into);
    } else {
#pragma unroll
        for (int k = 0; k < UNIT; ++k) into[k] = WHOLE || i + k < DIM ? from[i + k] : T(0);
    }
}

template <class T> __device__ inline void put(T* into, Place i, const T (&from)[UNIT]) {
    if constexpr (VECTORS) {
        copy<UNIT>(from, into + i);
    } else {
#pragma unroll
        for (int k = 0; k < UNIT; ++k)
            if (WHOLE || i + k < DIM) into[i + k] = from[k];
    }
}
