// The routines of LAPACK and BLAS that this folder calls, by their Fortran symbols: column-major
// matrices, every argument by address, and behind them the lengths of the character arguments, as
// gfortran passes them. float and double share one name here; each gives LAPACK's `info`: 0, below
// 0 for a wrong argument, above 0 for a matrix that it cannot take. `work_size` is -1 to ask for
// the best size, which is then work[0].
#pragma once

#include <cstddef>

#define TORCHTS_LAPACK(T, p)                                                                       \
  extern "C" {                                                                                     \
  void p##potrf_(const char*, const int*, T*, const int*, int*, size_t);                           \
  void p##getrf_(const int*, const int*, T*, const int*, int*, int*);                              \
  void p##trsm_(const char*, const char*, const char*, const char*, const int*, const int*,        \
                const T*, const T*, const int*, T*, const int*, size_t, size_t, size_t, size_t);   \
  void p##geqrf_(const int*, const int*, T*, const int*, T*, T*, const int*, int*);                \
  void p##orgqr_(const int*, const int*, const int*, T*, const int*, const T*, T*, const int*,     \
                 int*);                                                                            \
  void p##gesdd_(const char*, const int*, const int*, T*, const int*, T*, T*, const int*, T*,      \
                 const int*, T*, const int*, int*, int*, size_t);                                  \
  void p##syevd_(const char*, const char*, const int*, T*, const int*, T*, T*, const int*, int*,   \
                 const int*, int*, size_t, size_t);                                                \
  }                                                                                                \
  namespace torchts::lapack {                                                                      \
  /* a (n, n) = l lᵀ or uᵀ u, in the triangle `uplo`. */                                       \
  inline int potrf(char uplo, int n, T* a, int lda) {                                              \
    int info = 0;                                                                                  \
    p##potrf_(&uplo, &n, a, &lda, &info, 1);                                                       \
    return info;                                                                                   \
  }                                                                                                \
  /* a (m, n) = P L U, L without its diagonal of ones; row i was exchanged with row pivots[i]. */  \
  inline int getrf(int m, int n, T* a, int lda, int* pivots) {                                     \
    int info = 0;                                                                                  \
    p##getrf_(&m, &n, a, &lda, pivots, &info);                                                     \
    return info;                                                                                   \
  }                                                                                                \
  /* b (m, n) becomes x with op(a) x = b, or x op(a) = b for side 'R'. */                          \
  inline void trsm(char side, char uplo, char trans, char diag, int m, int n, const T* a, int lda, \
                   T* b, int ldb) {                                                                \
    const T one = 1;                                                                               \
    p##trsm_(&side, &uplo, &trans, &diag, &m, &n, &one, a, &lda, b, &ldb, 1, 1, 1, 1);             \
  }                                                                                                \
  /* a (m, n) = Q R: R on and above the diagonal, below it and in tau Householder's vectors. */    \
  inline int geqrf(int m, int n, T* a, int lda, T* tau, T* work, int work_size) {                  \
    int info = 0;                                                                                  \
    p##geqrf_(&m, &n, a, &lda, tau, work, &work_size, &info);                                      \
    return info;                                                                                   \
  }                                                                                                \
  /* Q's first n columns (m, n) of k such vectors, over them. */                                   \
  inline int orgqr(int m, int n, int k, T* a, int lda, const T* tau, T* work, int work_size) {     \
    int info = 0;                                                                                  \
    p##orgqr_(&m, &n, &k, a, &lda, tau, work, &work_size, &info);                                  \
    return info;                                                                                   \
  }                                                                                                \
  /* a (m, n) = u diag(s) vt; a is lost. iwork holds 8 min(m, n). */                               \
  inline int gesdd(char job, int m, int n, T* a, int lda, T* s, T* u, int ldu, T* vt, int ldvt,    \
                   T* work, int work_size, int* iwork) {                                           \
    int info = 0;                                                                                  \
    p##gesdd_(&job, &m, &n, a, &lda, s, u, &ldu, vt, &ldvt, work, &work_size, iwork, &info, 1);    \
    return info;                                                                                   \
  }                                                                                                \
  /* a (n, n), of which the triangle `uplo` is read, = v diag(w) vᵀ; v over a. */                \
  inline int syevd(char job, char uplo, int n, T* a, int lda, T* w, T* work, int work_size,        \
                   int* iwork, int iwork_size) {                                                   \
    int info = 0;                                                                                  \
    p##syevd_(&job, &uplo, &n, a, &lda, w, work, &work_size, iwork, &iwork_size, &info, 1, 1);     \
    return info;                                                                                   \
  }                                                                                                \
  }

TORCHTS_LAPACK(float, s)
TORCHTS_LAPACK(double, d)
#undef TORCHTS_LAPACK

extern "C" {
void dgemm_(const char*, const char*, const int*, const int*, const int*, const double*,
            const double*, const int*, const double*, const int*, const double*, double*,
            const int*, size_t, size_t);
void dgesv_(const int*, const int*, double*, const int*, int*, double*, const int*, int*);
// OpenBLAS has threads of its own; another library leaves this null.
__attribute__((weak)) void openblas_set_num_threads(int threads);
}

namespace torchts::lapack {

// c = a b, all (n, n).
inline void square_product(int n, const double* a, const double* b, double* c) {
  const char no = 'N';
  const double one = 1, zero = 0;
  dgemm_(&no, &no, &n, &n, &n, &one, a, &n, b, &n, &zero, c, &n, 1, 1);
}

// b (n, n) becomes x with a x = b; a is lost.
inline int gesv(int n, double* a, int* pivots, double* b) {
  int info = 0;
  dgesv_(&n, &n, a, &n, pivots, b, &n, &info);
  return info;
}

// How many threads the library may use for the calls that follow.
inline void use_threads(int threads) {
  if (openblas_set_num_threads != nullptr) openblas_set_num_threads(threads);
}

}  // namespace torchts::lapack
