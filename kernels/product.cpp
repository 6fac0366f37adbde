// oneDNN runs an OpenMP of its own; a thread that calls it says first that it wants one thread and no team.
#include "kernels/product.h"

#include <dlfcn.h>
#include <dnnl.h>

namespace tpc {

void productReference(float* c, const float* a, const float* b, const ProductShape& s, bool accumulate) {
  for (int64_t i = 0; i < s.m; ++i)
    for (int64_t j = 0; j < s.n; ++j) {
      double sum = accumulate ? c[i * s.ldc + j] : 0;
      for (int64_t l = 0; l < s.k; ++l)
        sum += double(s.transposedA ? a[l * s.lda + i] : a[i * s.lda + l]) *
               double(s.transposedB ? b[j * s.ldb + l] : b[l * s.ldb + j]);
      c[i * s.ldc + j] = float(sum);
    }
}

namespace {

// The library's OpenMP, whichever it was built with; we link none.
bool askForOneThread() {
  if (void* set = dlsym(RTLD_DEFAULT, "omp_set_num_threads")) reinterpret_cast<void (*)(int)>(set)(1);
  return true;
}

}  // namespace

void product(float* c, const float* a, const float* b, const ProductShape& s, bool accumulate) {
  thread_local const bool alone = askForOneThread();
  (void)alone;
  const dnnl_status_t status = dnnl_sgemm(s.transposedA ? 'T' : 'N', s.transposedB ? 'T' : 'N', s.m, s.n, s.k, 1.0f, a,
                                          s.lda, b, s.ldb, accumulate ? 1.0f : 0.0f, c, s.ldc);
  if (status != dnnl_success) productReference(c, a, b, s, accumulate);
}

}  // namespace tpc
