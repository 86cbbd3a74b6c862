// Sums of the squared force and of the Laplacian, one pair of them a block, for the configurational thermometer.
extern "C" __global__ void __launch_bounds__(THREADS) measure(const real* X, const real* p, double* out, i64 count) {
    __shared__ double sums[2][THREADS];
    double squares = 0, laplacians = 0;
    for (i64 k = blockIdx.x * i64(blockDim.x) + threadIdx.x; k < count * DIM; k += i64(gridDim.x) * blockDim.x) {
        const real* x = X + k / DIM * DIM;
        real v, g;
        point(x, k % DIM, p, v, g);
        squares += double(g * g);
        laplacians += laplacian(x, k % DIM, p);
    }
    sums[0][threadIdx.x] = squares;
    sums[1][threadIdx.x] = laplacians;
    add_up(sums);
    if (threadIdx.x == 0) {
        out[2 * blockIdx.x] = sums[0][0];
        out[2 * blockIdx.x + 1] = sums[1][0];
    }
}
