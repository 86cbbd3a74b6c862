// The numbers of a unit: in vectors where all begin at such places, and of the last unit those that there are.
#if DIM < 1LL << 30
typedef int Place;
#else
typedef i64 Place;
#endif
constexpr bool WHOLE = UNITS * UNIT == DIM, VECTORS = UNIT == 4 && ALIGNED == 4;
template <class T> struct Vector { typedef double2 type; };
template <> struct Vector<float> { typedef float4 type; };

template <class T> __device__ inline void take(const T* from, Place i, T (&into)[UNIT]) {
    typedef typename Vector<T>::type Some;
#pragma unroll
    for (int k = 0; k < UNIT; ++k) {
        if (!VECTORS) into[k] = WHOLE || i + k < DIM ? from[i + k] : T(0);
        else if (k % (VECTOR / sizeof(T)) == 0) *(Some*)(into + k) = *(const Some*)(from + i + k);
    }
}

template <class T> __device__ inline void put(T* into, Place i, const T (&from)[UNIT]) {
    typedef typename Vector<T>::type Some;
#pragma unroll
    for (int k = 0; k < UNIT; ++k) {
        if (VECTORS && k % (VECTOR / sizeof(T)) == 0) *(Some*)(into + i + k) = *(const Some*)(from + k);
        if (!VECTORS && (WHOLE || i + k < DIM)) into[i + k] = from[k];
    }
}
