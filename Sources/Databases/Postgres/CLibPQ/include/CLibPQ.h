// The only C header of this library that Swift sees.
#ifndef TIDEMARK_CLIBPQ_H
#define TIDEMARK_CLIBPQ_H

#include <postgresql/libpq-fe.h>

/// Why libpq cannot be used, to be asked before its first function is called; NULL when it can.
const char *tm_libpq_problem(void);

#endif
