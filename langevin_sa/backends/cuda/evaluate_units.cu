// Energies and gradients of points, whose units of coordinates the threads of one or more blocks share out: an energy of each block.
namespace langevin_sa {
extern "C" __global__ void __launch_bounds__(THREADS, RESIDENT) evaluate(const real* X, const real* p, const Extra* extra, double* energy, real* G, i64 count) {
    __shared__ double sums[2][THREADS];
    for (i64 r = blockIdx.y; r < count; r += gridDim.y) {
        double e = 0;
        for (Place first = blockIdx.x * blockDim.x; first < UNITS; first += gridDim.x * blockDim.x) {
            const Place unit = first + threadIdx.x;
            alignas(VECTOR) real v[UNIT], g[UNIT];
            const auto u = force(X + r * DIM, unit, v, g, p, extra, r);
            if (unit >= UNITS) continue;
            e += u;
            put(G + r * DIM, unit * UNIT, g);
        }
        sums[0][threadIdx.x] = e;
        sums[1][threadIdx.x] = 0;
        add_up(sums);
        if (threadIdx.x == 0) energy[r * gridDim.x + blockIdx.x] = sums[0][0];
        __syncthreads();
    }
}
}
