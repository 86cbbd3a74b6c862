// Energies and gradients of points, a thread a replica.
namespace langevin_sa {
extern "C" __global__ void __launch_bounds__(THREADS) evaluate(const real* X, const real* p, const int* extra, double* energy, real* G, i64 count) {
    for (i64 r = blockIdx.x * i64(blockDim.x) + threadIdx.x; r < count; r += i64(gridDim.x) * blockDim.x) {
        real x[DIM], g[DIM];
#pragma unroll UNROLL
        for (int d = 0; d < DIM; ++d) x[d] = X[r * DIM + d];
        energy[r] = force(x, g, p);
#pragma unroll UNROLL
        for (int d = 0; d < DIM; ++d) G[r * DIM + d] = g[d];
    }
}
}
