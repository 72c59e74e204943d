// A library whose functions are loaded with the first one that is called; for the C files that define
// them (CLibPQ.c, CMongoC.c), which get it with CPlatform.h. With all libraries linked the start of
// every command would take three times as long, whatever database it is for.
#ifndef TIDEMARK_CLIBRARY_H
#define TIDEMARK_CLIBRARY_H

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define TM_POINTER(result, name, parameters, arguments) static typeof(name) *real_##name;
#define TM_PLACE(result, name, parameters, arguments) {#name, (void **)&real_##name},
// Hidden, so that the library itself never finds these.
#define TM_FORWARD(result, name, parameters, arguments) \
    __attribute__((visibility("hidden"))) result name parameters { \
        tm_require(); \
        return real_##name arguments; \
    }

// Defines each function of `list`, a macro that hands result, name, parameters and arguments of each
// to its own parameter, and `problem_of()`, which tells why `library` cannot be used (NULL when it
// can) and whoever calls a function has asked before. `prepare()` runs before the library is loaded.
#define TM_LOADED_LIBRARY(list, library, prepare, problem_of) \
    list(TM_POINTER) \
    static const struct tm_function tm_functions[] = {list(TM_PLACE)}; \
    static pthread_once_t tm_once = PTHREAD_ONCE_INIT; \
    static const char *tm_problem; \
    static void tm_load(void) { \
        prepare(); \
        tm_problem = tm_load_functions( \
            library, tm_functions, sizeof tm_functions / sizeof *tm_functions); \
    } \
    const char *problem_of(void) { \
        pthread_once(&tm_once, tm_load); \
        return tm_problem; \
    } \
    static void tm_require(void) { \
        if (problem_of()) { \
            fprintf(stderr, "%s\n", tm_problem); \
            abort(); \
        } \
    } \
    list(TM_FORWARD)

#endif
