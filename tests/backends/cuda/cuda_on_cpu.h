// The part of CUDA that our kernels use, for g++: all threads of a grid one after the other, barriers by fibers. Tests only.
#include <csetjmp>
#include <cfloat>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <memory>
#include <ucontext.h>
#include <vector>

#define __global__
#define __device__
#define __constant__ static
#define __shared__ static
#define __launch_bounds__(...)
#define __CUDA_ON_CPU__

struct Dim { unsigned x, y, z; };
struct alignas(16) float4 { float x, y, z, w; };
struct alignas(16) double2 { double x, y; };
static Dim gridDim, blockDim, blockIdx, threadIdx;

static unsigned __umulhi(unsigned a, unsigned b) { return unsigned((uint64_t(a) * b) >> 32); }
template <class To, class From> static To same_bits(From value) {
    static_assert(sizeof(To) == sizeof(From));
    To out;
    memcpy(&out, &value, sizeof out);
    return out;
}
static long long __double_as_longlong(double x) { return same_bits<long long>(x); }
static double __longlong_as_double(long long n) { return same_bits<double>(n); }
static float __fmaf_rn(float a, float b, float c) { return fmaf(a, b, c); }
static float __fmul_rn(float a, float b) { return a * b; }
static float __fadd_rn(float a, float b) { return a + b; }
static float __fsqrt_rn(float x) { return sqrtf(x); }
static float __uint2float_rn(unsigned n) { return float(n); }
static float __int2float_rn(int n) { return float(n); }
static float __int_as_float(int n) { return same_bits<float>(n); }
static int __float_as_int(float x) { return same_bits<int>(x); }
static void __threadfence() {}
template <class T> static T atomicMin(T* at, T value) { T old = *at; *at = value < old ? value : old; return old; }
template <class T> static T atomicMax(T* at, T value) { T old = *at; *at = value > old ? value : old; return old; }
template <class T> static T atomicAdd(T* at, T value) { T old = *at; *at = old + value; return old; }

// A thread is a fiber where its kernel has barriers. At a barrier it goes back to the loop in `launch`, which lets the others catch up.
struct Fiber {
    ucontext_t start;
    jmp_buf here;
    std::unique_ptr<char[]> stack{new char[131072]};
    bool begun, done;
};
static jmp_buf scheduler;
static ucontext_t outside;
static Fiber* running;
static void (*body)(void**);
static void** arguments;
static unsigned waiting;
static bool reversed_order;

static void __syncthreads() {
    ++waiting;
    if (!_setjmp(running->here)) _longjmp(scheduler, 1);
}

static void run_fiber() {
    body(arguments);
    running->done = true;
    _longjmp(scheduler, 1);
}

static void resume(Fiber& fiber) {
    running = &fiber;
    if (_setjmp(scheduler)) return;
    if (fiber.begun) _longjmp(fiber.here, 1);
    fiber.begun = true;
    swapcontext(&outside, &fiber.start);
}

// 0, or 1 if some threads of a block left while others waited at a barrier, which hangs a GPU.
static int launch(void (*kernel)(void**), void** args, unsigned columns, unsigned rows, unsigned block, bool barriers) {
    static std::vector<Fiber> fibers;
    const unsigned grid = columns * rows;
    gridDim = {columns, rows, 1}, blockDim = {block, 1, 1}, body = kernel, arguments = args;
    int diverged = 0;
    for (unsigned b = 0; b < grid; ++b) {
        const unsigned at = reversed_order ? grid - 1 - b : b;
        blockIdx = {at % columns, at / columns, 0};
        auto thread = [&](unsigned i) { threadIdx = {reversed_order ? block - 1 - i : i, 0, 0}; };
        if (!barriers) {
            for (unsigned i = 0; i < block; ++i) thread(i), kernel(args);
            continue;
        }
        if (fibers.size() < block) fibers = std::vector<Fiber>(block);
        for (unsigned i = 0; i < block; ++i) {
            Fiber& fiber = fibers[i];
            fiber.begun = fiber.done = false;
            getcontext(&fiber.start);
            fiber.start.uc_stack.ss_sp = fiber.stack.get(), fiber.start.uc_stack.ss_size = 131072, fiber.start.uc_link = nullptr;
            makecontext(&fiber.start, run_fiber, 0);
        }
        for (unsigned left = block; left;) {
            unsigned done = 0;
            waiting = 0;
            for (unsigned i = 0; i < block; ++i)
                if (!fibers[i].done) thread(i), resume(fibers[i]), done += fibers[i].done;
            if (done && waiting) diverged = 1;
            left -= done;
        }
    }
    return diverged;
}

extern "C" void set_reversed(int yes) { reversed_order = yes; }
